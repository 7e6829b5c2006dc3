// Regex: a pattern as Go's regexp package reads it, matched anywhere in a text.
//
// RE2 is the engine that Go's package was made after, so patterns, their errors and their linear running time agree.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace kubemu::api {

class Regex {
  public:
    explicit Regex(const std::string& pattern);
    ~Regex();

    // What is wrong with the pattern, in Go's words; empty when nothing is.
    const std::string& error() const { return error_; }
    const std::string& pattern() const { return pattern_; }
    // False for a broken pattern.
    bool matches(std::string_view text) const;
    // Matches that do not overlap, from the left; at most `limit` when it is not negative. Empty matches count.
    std::vector<std::string> find_all(std::string_view text, long limit = -1) const;

  private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
    std::string pattern_;
    std::string error_;
};

// The pattern compiled, once for the last few hundred patterns that were asked for: the same schemas are read again and
// again, and one with large classes and repetitions takes a tenth of a second. Thread-safe.
std::shared_ptr<const Regex> compiled_regex(const std::string& pattern);

}  // namespace kubemu::api
