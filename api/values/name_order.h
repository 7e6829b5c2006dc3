// The order of names, seen by their first letters before anything is called: most names of a document differ there.
#pragma once

#include <string>
#include <string_view>

namespace kubemu::api {

// As a < b.
inline bool name_before(std::string_view a, std::string_view b) {
    if (a.empty() || b.empty() || a.front() == b.front()) return a < b;
    return static_cast<unsigned char>(a.front()) < static_cast<unsigned char>(b.front());
}

// A name that is looked for in a map with a transparent order.
struct WantedName {
    std::string_view text;
    friend bool operator<(const std::string& a, const WantedName& b) { return name_before(a, b.text); }
    friend bool operator<(const WantedName& a, const std::string& b) { return name_before(a.text, b); }
};

}  // namespace kubemu::api
