// Comma-separated values, quoted where they hold commas (RFC 4180).
#include "api/authentication/token_file.h"

#include <optional>
#include <vector>

#include "api/values/text.h"

namespace kubemu::api {
namespace {

// The values of one line, which ends at `at` afterwards. Nothing when a quotation does not end.
std::optional<std::vector<std::string>> read_record(std::string_view text, std::size_t& at) {
    std::vector<std::string> values(1);
    bool quoted = false;
    for (; at < text.size(); ++at) {
        const char c = text[at];
        if (quoted) {
            if (c != '"') {
                values.back() += c;
            } else if (at + 1 < text.size() && text[at + 1] == '"') {
                values.back() += text[++at];
            } else {
                quoted = false;
            }
        } else if (c == '"' && values.back().empty()) {
            quoted = true;
        } else if (c == ',') {
            values.emplace_back();
        } else if (c == '\n') {
            ++at;
            break;
        } else if (c != '\r') {
            values.back() += c;
        }
    }
    if (quoted) return std::nullopt;
    return values;
}

}  // namespace

Result<TokenFile, std::string> TokenFile::parse(std::string_view text, std::string_view path) {
    TokenFile file;
    int record = 0;
    for (std::size_t at = 0; at < text.size();) {
        ++record;
        const auto values = read_record(text, at);
        if (!values) return std::string(path) + ": record " + std::to_string(record) + ": a quotation does not end";
        if (values->size() == 1 && trim((*values)[0]).empty()) continue;
        if (values->size() < 3) {
            return "token file '" + std::string(path) + "' must have at least 3 columns (token, user name, user uid), found " +
                   std::to_string(values->size());
        }
        if ((*values)[0].empty()) continue;
        User user{(*values)[1], (*values)[2], {}, {}};
        if (values->size() > 3 && !(*values)[3].empty()) {
            for (const std::string_view group : split((*values)[3], ',')) user.groups.emplace_back(group);
        }
        file.users_[(*values)[0]] = std::move(user);
    }
    return file;
}

const User* TokenFile::find(std::string_view token) const {
    const auto found = users_.find(token);
    return found == users_.end() ? nullptr : &found->second;
}

}  // namespace kubemu::api
