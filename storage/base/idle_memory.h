// Gives memory back to the machine while nothing happens.
#pragma once

namespace kubemu {

// What malloc holds free in whole pages. Takes a few milliseconds after much has been freed, some microseconds else.
void give_back_memory();

}  // namespace kubemu
