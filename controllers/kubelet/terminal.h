// Terminal: what the line discipline of a terminal does between keys and a program: echo, editing of the line, the keys
// that interrupt it or end its input. Sans I/O.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace kubemu::controllers::kubelet {

class Terminal {
  public:
    struct Event {
        enum class Kind { text, interrupt, end } kind = Kind::text;
        std::string text;
    };
    // What the keys mean to the program, in order; what they show is added to `echo`.
    std::vector<Event> type(std::string_view keys, std::string& echo);
    // Text as the terminal shows it: each line break with a carriage return.
    static std::string shown(std::string_view text);

  private:
    enum class Escape { none, begun, sequence };
    void erase_last(std::string& echo);

    std::string line_;  // not yet given to the program
    Escape escape_ = Escape::none;
};

}  // namespace kubemu::controllers::kubelet
