// Gives memory back to the machine while nothing happens.
#pragma once

namespace kubemu {

// What malloc holds free in whole pages, and the pages of the program's code and constants, which are read again from
// the page cache when they are wanted: most of them have served the start alone. Takes a few milliseconds after much
// has been freed, some microseconds else. Under a debugger the program keeps its pages.
void give_back_memory();

}  // namespace kubemu
