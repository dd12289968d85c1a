#include "scenes.h"
void scene_price(void)
{
}
