#include "scenes.h"
void scene_independent(void)
{
}
