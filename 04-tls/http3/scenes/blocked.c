#include "scenes.h"
void scene_blocked(void)
{
}
