// Patterns compiled by RE2.
#include "api/values/regex.h"

#include <re2/re2.h>

#include <deque>
#include <unordered_map>

#include "storage/base/mutex.h"

namespace kubemu::api {
namespace {

re2::RE2::Options quiet() {
    re2::RE2::Options options;
    options.set_log_errors(false);
    return options;
}

// regexp/syntax names the same mistakes in its own words.
std::string go_error(const re2::RE2& expression) {
    using Code = re2::RE2::ErrorCode;
    const char* what = "invalid regexp";
    switch (expression.error_code()) {
        case Code::ErrorBadEscape:
            what = "invalid escape sequence";
            break;
        case Code::ErrorBadCharClass:
        case Code::ErrorBadCharRange:
            what = "invalid character class range";
            break;
        case Code::ErrorMissingBracket:
            what = "missing closing ]";
            break;
        case Code::ErrorMissingParen:
            what = "missing closing )";
            break;
        case Code::ErrorUnexpectedParen:
            what = "unexpected )";
            break;
        case Code::ErrorTrailingBackslash:
            what = "trailing backslash at end of expression";
            break;
        case Code::ErrorRepeatArgument:
            what = "missing argument to repetition operator";
            break;
        case Code::ErrorRepeatSize:
            what = "invalid repeat count";
            break;
        case Code::ErrorRepeatOp:
            what = "invalid nested repetition operator";
            break;
        case Code::ErrorBadPerlOp:
            what = "invalid or unsupported Perl syntax";
            break;
        case Code::ErrorBadUTF8:
            what = "invalid UTF-8";
            break;
        case Code::ErrorBadNamedCapture:
            what = "invalid named capture";
            break;
        case Code::ErrorPatternTooLarge:
            what = "expression too large";
            break;
        default:
            break;
    }
    return "error parsing regexp: " + std::string(what) + ": `" + expression.error_arg() + "`";
}

}  // namespace

struct Regex::Impl {
    explicit Impl(const std::string& pattern) : expression(pattern, quiet()) {}
    re2::RE2 expression;
};

Regex::Regex(const std::string& pattern) : impl_(std::make_unique<Impl>(pattern)), pattern_(pattern) {
    if (!impl_->expression.ok()) error_ = go_error(impl_->expression);
}

Regex::~Regex() = default;

bool Regex::matches(std::string_view text) const {
    if (!impl_->expression.ok()) return false;
    return re2::RE2::PartialMatch(re2::StringPiece(text.data(), text.size()), impl_->expression);
}

std::vector<std::string> Regex::find_all(std::string_view text, long limit) const {
    std::vector<std::string> found;
    if (!impl_->expression.ok()) return found;
    const re2::StringPiece whole(text.data(), text.size());
    std::size_t at = 0;
    std::size_t last_end = std::string::npos;
    while (at <= text.size() && (limit < 0 || static_cast<long>(found.size()) < limit)) {
        re2::StringPiece match;
        if (!impl_->expression.Match(whole, at, text.size(), re2::RE2::UNANCHORED, &match, 1)) break;
        const std::size_t begin = static_cast<std::size_t>(match.data() - text.data()), end = begin + match.size();
        // An empty match right behind another match is none.
        if (!match.empty() || begin != last_end) found.emplace_back(match.data(), match.size());
        last_end = end;
        at = match.empty() ? end + 1 : end;
    }
    return found;
}

namespace {

// The oldest goes when there are too many.
class CompiledRegexes {
  public:
    std::shared_ptr<const Regex> get(const std::string& pattern) {
        {
            Lock lock(mutex_);
            if (const auto at = known_.find(pattern); at != known_.end()) return at->second;
        }
        auto made = std::make_shared<const Regex>(pattern);  // slow: others need not wait
        Lock lock(mutex_);
        const auto [at, fresh] = known_.emplace(pattern, made);
        if (!fresh) return at->second;
        order_.push_back(pattern);
        if (order_.size() > patterns_max) {
            known_.erase(order_.front());
            order_.pop_front();
        }
        return made;
    }

  private:
    static constexpr std::size_t patterns_max = 512;
    Mutex mutex_;
    std::unordered_map<std::string, std::shared_ptr<const Regex>> known_ KUBEMU_GUARDED_BY(mutex_);
    std::deque<std::string> order_ KUBEMU_GUARDED_BY(mutex_);
};

}  // namespace

std::shared_ptr<const Regex> compiled_regex(const std::string& pattern) {
    static CompiledRegexes all;
    return all.get(pattern);
}

}  // namespace kubemu::api
