// glibc gives whole free pages back from the end of its heap alone, unless it is told to look between.
#include "storage/base/idle_memory.h"

#include <malloc.h>

namespace kubemu {

void give_back_memory() { malloc_trim(0); }

}  // namespace kubemu
