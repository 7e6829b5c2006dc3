// Pattern: a regular expression of sed and of [[ =~ ]], with what its groups match.
//
// RE2 is the engine: it takes time in proportion to the text, whatever a script in a container asks for.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace kubemu::controllers::kubelet::shell {

class Pattern {
  public:
    explicit Pattern(const std::string& text);
    ~Pattern();

    bool valid() const;
    struct Match {
        std::size_t begin = 0;
        std::vector<std::string> groups;  // groups[0]: all of it
    };
    // The first match at or after `from`.
    std::optional<Match> first(std::string_view text, std::size_t from = 0) const;

  private:
    struct Compiled;
    std::unique_ptr<Compiled> compiled_;
};

}  // namespace kubemu::controllers::kubelet::shell
