// What every fuzz target shares: how two documents are cut from one input, and how a broken promise is reported.
//
// A target promises more than "no crash": what was read can be written and read again, what is refused changes nothing.
#pragma once

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>
#include <utility>

// libFuzzer's entry; replay.cpp calls it with stored inputs where there is no libFuzzer.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace kubemu::fuzz {

inline std::string_view text_of(const std::uint8_t* data, std::size_t size) {
    return {reinterpret_cast<const char*>(data), size};
}

// Two documents: what stands before and behind the first line "---".
inline std::pair<std::string_view, std::string_view> two_documents(std::string_view text) {
    const std::size_t cut = text.find("\n---\n");
    if (cut == std::string_view::npos) return {text, {}};
    return {text.substr(0, cut), text.substr(cut + 5)};
}

inline void promise(bool kept, const char* what, std::string_view detail = {}) {
    if (kept) return;
    std::fprintf(stderr, "broken promise: %s\n%s\n", what, std::string(detail).c_str());
    std::abort();
}

}  // namespace kubemu::fuzz
