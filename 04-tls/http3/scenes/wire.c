#include "scenes.h"
void scene_wire(void)
{
}
