#include "CLibc.h"
