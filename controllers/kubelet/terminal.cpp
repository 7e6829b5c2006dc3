// Keys in the canonical mode of termios(3).
#include "controllers/kubelet/terminal.h"

#include <utility>

namespace kubemu::controllers::kubelet {
namespace {

constexpr char end_key = 0x04, interrupt_key = 0x03, backspace_key = 0x08, delete_key = 0x7f, kill_key = 0x15, escape_key = 0x1b;

bool is_continuation(char c) { return (static_cast<unsigned char>(c) & 0xc0) == 0x80; }

}  // namespace

std::vector<Terminal::Event> Terminal::type(std::string_view keys, std::string& echo) {
    std::vector<Event> events;
    for (const char key : keys) {
        if (escape_ != Escape::none) {
            // Arrows and the like edit nothing here.
            if (escape_ == Escape::begun) escape_ = key == '[' || key == 'O' ? Escape::sequence : Escape::none;
            else if (key >= '@' && key <= '~') escape_ = Escape::none;
        } else if (key == escape_key) {
            escape_ = Escape::begun;
        } else if (key == '\r' || key == '\n') {
            echo += "\r\n";
            events.push_back({Event::Kind::text, std::exchange(line_, {}) + "\n"});
        } else if (key == interrupt_key) {
            echo += "^C\r\n";
            line_.clear();
            events.push_back({Event::Kind::interrupt, {}});
        } else if (key == end_key) {
            // Behind text it gives that to the program; at the beginning of a line there is no more.
            const bool ends = line_.empty();
            events.push_back({ends ? Event::Kind::end : Event::Kind::text, std::exchange(line_, {})});
        } else if (key == delete_key || key == backspace_key) {
            erase_last(echo);
        } else if (key == kill_key) {
            while (!line_.empty()) erase_last(echo);
        } else if (key == '\t' || static_cast<unsigned char>(key) >= ' ') {
            line_ += key;
            echo += key;
        }
    }
    return events;
}

void Terminal::erase_last(std::string& echo) {
    if (line_.empty()) return;
    while (line_.size() > 1 && is_continuation(line_.back())) line_.pop_back();
    line_.pop_back();
    echo += "\b \b";
}

std::string Terminal::shown(std::string_view text) {
    std::string out;
    out.reserve(text.size() + 16);
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] == '\n' && (i == 0 || text[i - 1] != '\r')) out += '\r';
        out += text[i];
    }
    return out;
}

}  // namespace kubemu::controllers::kubelet
