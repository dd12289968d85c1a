// client.c: the scenes of lesson 05.
int main(void)
{
    return 0;
}
