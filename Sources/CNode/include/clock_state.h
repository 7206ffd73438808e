// Whether somebody keeps this machine's clock (adjtimex(2)).
//
// Why C: <sys/timex.h> is not among the headers that Swift's Glibc module has.
#ifndef DATACRUMBS_CLOCK_STATE_H
#define DATACRUMBS_CLOCK_STATE_H

#include <stdbool.h>

bool clock_is_synchronised(void);

#endif
