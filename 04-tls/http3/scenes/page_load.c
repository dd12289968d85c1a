#include "scenes.h"
void scene_page_load(void)
{
}
