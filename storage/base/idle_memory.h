// Gives memory back to the machine while nothing happens.
#pragma once

namespace kubemu {

// From now on threads that have freed much hand it back at once, whatever blocks they have used before. For the start.
void limit_free_memory();

// What malloc holds free in whole pages. Takes a few milliseconds after much has been freed, some microseconds else.
void give_back_memory();

}  // namespace kubemu
