// body.h: all of this is in http.h now.
#include "http.h"
