// Patterns over RE2.
#include "controllers/kubelet/shell_pattern.h"

#include <re2/re2.h>

namespace kubemu::controllers::kubelet::shell {
namespace {

constexpr std::int64_t compiled_bytes_max = 1 << 20;

re2::RE2::Options quiet() {
    re2::RE2::Options options;
    options.set_log_errors(false);
    options.set_max_mem(compiled_bytes_max);
    return options;
}

}  // namespace

struct Pattern::Compiled {
    explicit Compiled(const std::string& text) : expression(text, quiet()) {}
    re2::RE2 expression;
};

Pattern::Pattern(const std::string& text) : compiled_(std::make_unique<Compiled>(text)) {}
Pattern::~Pattern() = default;

bool Pattern::valid() const {
    return compiled_->expression.ok();
}

std::optional<Pattern::Match> Pattern::first(std::string_view text, std::size_t from) const {
    const re2::RE2& expression = compiled_->expression;
    if (!expression.ok() || from > text.size()) return std::nullopt;
    std::vector<re2::StringPiece> parts(static_cast<std::size_t>(expression.NumberOfCapturingGroups()) + 1);
    const re2::StringPiece whole(text.data(), text.size());
    const int count = static_cast<int>(parts.size());
    if (!expression.Match(whole, from, text.size(), re2::RE2::UNANCHORED, parts.data(), count))
        return std::nullopt;
    Match match{static_cast<std::size_t>(parts[0].data() - text.data()), {}};
    for (const re2::StringPiece& part : parts)
        match.groups.push_back(part.data() == nullptr ? std::string()
                                                      : std::string(part.data(), part.size()));
    return match;
}

}  // namespace kubemu::controllers::kubelet::shell
