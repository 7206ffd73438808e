// The calls of the node service that Swift cannot make itself: one file each.
#include "clock_state.h"
#include "flock_until.h"
#include "user_file.h"
