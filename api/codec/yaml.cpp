// yaml-cpp's events to JSON values; its exceptions end here.
#include "api/codec/yaml.h"

#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <cctype>
#include <charconv>
#include <cmath>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <sstream>

#include "api/codec/yaml_text.h"
#include "api/values/text.h"
#include "storage/base/limits.h"

namespace kubemu::api {
namespace {

// Why the handler gave up; yaml-cpp has no way to stop but an exception.
struct Refused {
    std::string message;
};
const char* const too_large = "yaml: document contains excessive aliasing";

// The name behind the '*' at a mark.
std::string alias_at(std::string_view text, const YAML::Mark& mark) {
    text.remove_prefix(std::min(static_cast<std::size_t>(std::max(mark.pos, 0)) + 1, text.size()));
    return std::string(text.substr(0, text.find_first_of(" \t\r\n,]}")));
}

// Tells where the document begins that the parser meets next, and leaves.
struct NextDocument : YAML::EventHandler {
    struct Found {
        int at;
    };
    void OnDocumentStart(const YAML::Mark& mark) override { throw Found{mark.pos}; }
    void OnDocumentEnd() override {}
    void OnNull(const YAML::Mark&, YAML::anchor_t) override {}
    void OnAlias(const YAML::Mark&, YAML::anchor_t) override {}
    void OnScalar(const YAML::Mark&, const std::string&, YAML::anchor_t, const std::string&) override {}
    void OnSequenceStart(const YAML::Mark&, const std::string&, YAML::anchor_t,
                         YAML::EmitterStyle::value) override {}
    void OnSequenceEnd() override {}
    void OnMapStart(const YAML::Mark&, const std::string&, YAML::anchor_t,
                    YAML::EmitterStyle::value) override {}
    void OnMapEnd() override {}
};

// Numbers that JSON cannot say.
std::string wrong_number(std::string_view text) {
    if (text == ".nan" || text == ".NaN" || text == ".NAN") return "NaN";
    const bool negative = text.starts_with('-');
    if (negative || text.starts_with('+')) text.remove_prefix(1);
    if (text == ".inf" || text == ".Inf" || text == ".INF") return negative ? "-Inf" : "+Inf";
    return {};
}

// A plain scalar by YAML 1.1's rules as go-yaml applies them.
Json plain_scalar(const std::string& text) {
    static const std::set<std::string> truths = {"y",    "Y",    "yes", "Yes", "YES", "true",
                                                 "True", "TRUE", "on",  "On",  "ON"};
    static const std::set<std::string> lies = {"n",     "N",     "no",  "No",  "NO", "false",
                                               "False", "FALSE", "off", "Off", "OFF"};
    if (text.empty() || text == "~" || text == "null" || text == "Null" || text == "NULL") return nullptr;
    if (truths.contains(text)) return true;
    if (lies.contains(text)) return false;
    std::string digits;
    for (const char c : text) {
        if (c != '_') digits += c;
    }
    const char* begin = digits.data();
    const char* end = begin + digits.size();
    const bool negative = *begin == '-';
    const char* number = begin + (negative || *begin == '+' ? 1 : 0);
    if (number == end || !(std::isdigit(static_cast<unsigned char>(*number)) || *number == '.')) return text;
    int base = 10;
    const char* start = number;
    if (end - number > 2 && number[0] == '0') {
        if (number[1] == 'x') base = 16;
        if (number[1] == 'b') base = 2;
        if (number[1] == 'o') base = 8;
        if (base != 10) start += 2;
    }
    if (base == 10 && end - number > 1 && number[0] == '0' && number[1] != '.' && number[1] != 'e') base = 8;
    std::uint64_t magnitude = 0;
    if (auto [stop, error] = std::from_chars(start, end, magnitude, base);
        error == std::errc() && stop == end) {
        if (!negative)
            return magnitude <= INT64_MAX ? Json(static_cast<std::int64_t>(magnitude)) : Json(magnitude);
        if (magnitude <= static_cast<std::uint64_t>(INT64_MAX)) return -static_cast<std::int64_t>(magnitude);
    }
    double real = 0;
    if (auto [stop, error] = std::from_chars(number, end, real); error == std::errc() && stop == end) {
        return negative ? -real : real;
    }
    return text;
}

class Handler : public YAML::EventHandler {
  public:
    Handler(std::string_view text, std::vector<std::string>* duplicates)
        : text_(text), duplicates_(duplicates) {}

    void OnDocumentStart(const YAML::Mark&) override {}
    void OnDocumentEnd() override {}
    void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
        // yaml-cpp takes any word for a key without a value.
        if (!frames_.empty() && frames_.back().has_key && !frames_.back().flow) {
            if (const auto line = line_behind_bare_key(text_, frames_.back().key_at)) {
                throw Refused{"yaml: " + go_line(*line, "") + "could not find expected ':'"};
            }
        }
        add(nullptr, mark, anchor);
    }
    void OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) override {
        const auto found = anchors_.find(anchor);
        if (found == anchors_.end()) {
            throw Refused{"yaml: anchor '" + alias_at(text_, mark) + "' value contains itself"};
        }
        add(found->second, mark, 0);
    }
    void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  const std::string& value) override {
        last_scalar_ = static_cast<std::size_t>(mark.pos);
        const std::string text = mend_yaml_escapes(value);
        const bool said = tag == "!" || tag == "tag:yaml.org,2002:str";
        if (const std::string wrong = wrong_number(text); !said && !wrong.empty()) throw Refused{"json: unsupported value: " + wrong};
        add(said ? Json(text) : plain_scalar(text), mark, anchor);
    }
    void OnSequenceStart(const YAML::Mark& mark, const std::string&, YAML::anchor_t anchor,
                         YAML::EmitterStyle::value) override {
        open(Json::array(), mark, anchor);
    }
    void OnSequenceEnd() override { close(); }
    void OnMapStart(const YAML::Mark& mark, const std::string&, YAML::anchor_t anchor,
                    YAML::EmitterStyle::value style) override {
        open(Json::object(), mark, anchor);
        frames_.back().flow = style == YAML::EmitterStyle::Flow;
    }
    void OnMapEnd() override { close(); }

    // yaml-cpp takes the end of the text for the end of a quoted scalar.
    bool unterminated() const {
        if (last_scalar_ >= text_.size()) return false;
        const char quote = text_[last_scalar_];
        if (quote != '"' && quote != '\'') return false;
        for (std::size_t i = last_scalar_ + 1; i < text_.size(); ++i) {
            if (quote == '"' && text_[i] == '\\') {
                ++i;
            } else if (text_[i] == quote) {
                return false;
            }
        }
        return true;
    }

    Json root;

  private:
    struct Frame {
        Json value;
        std::string key;
        bool has_key = false;
        YAML::anchor_t anchor = 0;
        YAML::Mark mark;
        std::set<std::string> merged{};  // keys that came by `<<`
        bool flow = false;
        std::size_t key_at = 0;
    };

    // `<<: *base` or `<<: [*first, *second]`: members that the map does not have itself, and may still get.
    static void merge(Frame& into, const Json& from) {
        if (from.is_array()) {
            for (const Json& item : from) merge(into, item);
        } else if (from.is_object()) {
            for (auto at = from.begin(); at != from.end(); ++at) {
                if (into.value.emplace(at.key(), *at).second) into.merged.insert(at.key());
            }
        }
    }

    static std::size_t nodes_of(const Json& value) {
        std::size_t count = 1;
        if (value.is_structured()) {
            for (const Json& item : value) count += nodes_of(item);
        }
        return count;
    }

    void open(Json container, const YAML::Mark& mark, YAML::anchor_t anchor) {
        if (frames_.size() >= limits::document_depth_max) throw Refused{too_large};
        frames_.push_back({std::move(container), {}, false, anchor, mark});
    }

    void close() {
        Frame frame = std::move(frames_.back());
        frames_.pop_back();
        add(std::move(frame.value), frame.mark, frame.anchor);
    }

    void add(Json value, const YAML::Mark& mark, YAML::anchor_t anchor) {
        if (anchor != 0) anchors_[anchor] = value;
        nodes_ += anchors_.empty() ? 1 : nodes_of(value);
        if (nodes_ > limits::yaml_nodes_max) throw Refused{too_large};
        if (frames_.empty()) {
            root = std::move(value);
            return;
        }
        Frame& frame = frames_.back();
        if (frame.value.is_array()) {
            frame.value.push_back(std::move(value));
        } else if (!frame.has_key) {
            if (value.is_null() && mark.pos >= 0 && static_cast<std::size_t>(mark.pos) < text_.size() && text_[mark.pos] == ':') {
                // go-yaml wants something before the colon.
                throw Refused{"yaml: " + go_line(mark.line, "did not find expected key") + "did not find expected key"};
            }
            if (value.is_structured() || value.is_null())
                throw Refused{"yaml: invalid map key: " + encode_raw(value)};
            frame.key = value.is_string() ? value.get<std::string>() : encode_raw(value);
            frame.has_key = true;
            frame.key_at = static_cast<std::size_t>(std::max(mark.pos, 0));
            const bool merged = frame.merged.erase(frame.key) > 0;
            if (duplicates_ != nullptr && !merged && frame.value.contains(frame.key)) {
                duplicates_->push_back("line " + std::to_string(mark.line + 1) + ": key " +
                                       go_quote(frame.key) + " already set in map");
            }
        } else {
            if (frame.key == "<<" && !value.is_structured()) {
                throw Refused{"yaml: map merge requires map or sequence of maps as the value"};
            }
            if (frame.key == "<<") {
                merge(frame, value);
            } else {
                frame.value[frame.key] = std::move(value);
            }
            frame.has_key = false;
        }
    }

    std::string_view text_;
    std::vector<std::string>* duplicates_;
    std::size_t last_scalar_ = std::string_view::npos;
    std::vector<Frame> frames_;
    std::map<YAML::anchor_t, Json> anchors_;
    std::size_t nodes_ = 0;
};

bool looks_plain(const std::string& text) {
    if (text.empty() || text != trim(text)) return false;
    if (!plain_scalar(text).is_string() || !wrong_number(text).empty()) return false;
    if (std::string_view("-?:,[]{}#&*!|>'\"%@`=").find(text[0]) != std::string_view::npos) return false;
    if (text.find(": ") != std::string::npos || text.find(" #") != std::string::npos || text.back() == ':')
        return false;
    return true;
}

// In double quotes, JSON's way; what a YAML reader would refuse or take for a line end is escaped too.
void emit_quoted(std::string& out, const std::string& text) {
    std::string quoted;
    append_json_string(quoted, text);
    out += escape_yaml_specials(quoted);
}

void emit(std::string& out, const Json& value, int indent, bool in_sequence);

void emit_scalar(std::string& out, const Json& value, int indent) {
    if (!value.is_string()) {
        append_raw(out, value);
        return;
    }
    const auto& text = value.get_ref<const std::string&>();
    if (text.find_first_of("\t\r") != std::string::npos || has_yaml_specials(text)) {
        emit_quoted(out, text);
    } else if (text.find('\n') == std::string::npos && looks_plain(text)) {
        out += text;
    } else if (text.find('\n') != std::string::npos && text[0] != ' ' && text[0] != '\n') {
        out += text.back() == '\n' ? (text.size() > 1 && text[text.size() - 2] == '\n' ? "|+" : "|") : "|-";
        std::string_view rest = text;
        while (!rest.empty()) {
            const std::size_t end = rest.find('\n');
            out += '\n';
            if (end != 0) out.append(static_cast<std::size_t>(indent), ' ');
            out += rest.substr(0, end);
            if (end == std::string_view::npos) break;
            rest.remove_prefix(end + 1);
        }
    } else if (text.find_first_of("\n\\\"") == std::string::npos || text.find('\'') == std::string::npos) {
        if (text.find('\n') != std::string::npos) {
            emit_quoted(out, text);
        } else if (text.find('\'') == std::string::npos && !plain_scalar(text).is_string()) {
            out += '"' + text + '"';
        } else {
            out += '\'';
            for (const char c : text) out += c == '\'' ? std::string("''") : std::string(1, c);
            out += '\'';
        }
    } else {
        append_json_string(out, text);
    }
}

void emit_map(std::string& out, const Json& value, int indent, bool in_sequence) {
    bool first = true;
    for (const auto& [name, item] : value.items()) {
        if (!first || !in_sequence)
            out.append(first && in_sequence ? 0 : static_cast<std::size_t>(indent), ' ');
        first = false;
        // A key of several lines, or too long for a reader to look ahead, is marked as one.
        const bool marked = name.size() > 128 || name.find('\n') != std::string::npos;
        if (marked) {
            out += "? ";
            emit_quoted(out, name);
            out += '\n';
            out.append(static_cast<std::size_t>(indent), ' ');
        } else {
            emit_scalar(out, Json(name), indent);
        }
        out += ':';
        if (item.is_structured() && !item.empty()) {
            out += '\n';
            emit(out, item, item.is_array() ? indent : indent + 2, false);
        } else {
            out += ' ';
            emit(out, item, indent + 2, false);
        }
    }
}

void emit(std::string& out, const Json& value, int indent, bool in_sequence) {
    if (value.is_object() && !value.empty()) return emit_map(out, value, indent, in_sequence);
    if (value.is_array() && !value.empty()) {
        bool first = true;
        for (const Json& item : value) {
            if (!(first && in_sequence)) out.append(static_cast<std::size_t>(indent), ' ');
            first = false;
            out += "- ";
            emit(out, item, indent + 2, true);
        }
        return;
    }
    if (value.is_object())
        out += "{}";
    else if (value.is_array())
        out += "[]";
    else
        emit_scalar(out, value, indent);
    out += '\n';
}

// yaml-cpp's complaint in the words of go-yaml, whose scanner finds the same things.
std::string go_words(const YAML::Exception& error, std::string_view text) {
    const std::string& message = error.msg;
    // Where the text ends, a node may be missing rather than a delimiter.
    const bool in_flow = message.find("end of map flow not found") == 0 || message.find("end of sequence flow not found") == 0;
    const std::size_t last = text.find_last_not_of(" \t\r\n");
    if (in_flow && last != text.npos && std::string_view("{[,:?").find(text[last]) != std::string_view::npos) {
        return "did not find expected node content";
    }
    static const std::vector<std::pair<std::string_view, std::string_view>> known = {
        {"illegal map value", "mapping values are not allowed in this context"},
        {"illegal block entry", "block sequence entries are not allowed in this context"},
        {"unknown token", "found character that cannot start any token"},
        {"end of map not found", "did not find expected key"},
        {"end of sequence not found", "did not find expected '-' indicator"},
        {"end of map flow not found", "did not find expected ',' or '}'"},
        {"end of sequence flow not found", "did not find expected ',' or ']'"},
        {"illegal EOF in scalar", "found unexpected end of stream"},
        {"illegal flow end", "did not find expected node content"},
        {"unknown escape character", "found unknown escape character"},
        {"alias not found after *", "did not find expected alphabetic or numeric character"},
        {"anchor not found after &", "did not find expected alphabetic or numeric character"},
    };
    if (message.find("the referenced anchor is not defined") == 0)
        return "unknown anchor '" + alias_at(text, error.mark) + "' referenced";
    for (const auto& [theirs, ours] : known) {
        if (message.find(theirs) != std::string::npos) return std::string(ours);
    }
    return message;
}

}  // namespace

namespace {

// A complaint about what stands at `pos`: a word that lacks its colon is found by the scanner already.
std::string at_key(std::string_view text, int pos, int line, const std::string& words) {
    const auto at = static_cast<std::size_t>(std::max(pos, 0));
    const bool first = text.substr(0, at).find_last_not_of(" \t") == text.npos || text[text.substr(0, at).find_last_not_of(" \t")] == '\n';
    const bool word = first && at < text.size() && std::string_view("-}],:?{[").find(text[at]) == std::string_view::npos;
    if (word && words == "did not find expected key") {
        if (const auto behind = line_behind_bare_key(text, at)) return go_line(*behind, "") + "could not find expected ':'";
    }
    return go_line(line, words) + words;
}

// What follows the first document must begin with `---`; yaml-cpp would begin a new one at anything that does
// not fit.
std::optional<DecodeError> check_rest(YAML::Parser& parser, std::string_view text, const Json& root) {
    try {
        NextDocument next;
        parser.HandleNextDocument(next);
    } catch (const NextDocument::Found& found) {
        const std::string_view before = text.substr(0, static_cast<std::size_t>(found.at));
        const std::string_view from = text.substr(std::min(static_cast<std::size_t>(found.at), text.size()));
        if (from.rfind("---", 0) == 0 || before.find("\n...") != std::string_view::npos) return std::nullopt;
        const auto line = static_cast<int>(std::count(before.begin(), before.end(), '\n'));
        const char* expected = root.is_array()    ? "'-' indicator"
                               : root.is_object() ? "key"
                                                  : "<document start>";
        const std::string words = std::string("did not find expected ") + expected;
        return DecodeError{"yaml: " + at_key(text, found.at, line, words), true};
    } catch (const YAML::Exception&) {
        // Whatever is wrong with a document that nobody reads.
    }
    return std::nullopt;
}

bool indented_by_tab(std::string_view text, int line) {
    for (; line > 0 && !text.empty(); --line)
        text.remove_prefix(std::min(text.find('\n'), text.size() - 1) + 1);
    const std::string_view indent = text.substr(0, text.find_first_not_of(" \t"));
    return indent.find('\t') != std::string_view::npos;
}

}  // namespace

Result<Json, DecodeError> parse_yaml(std::string_view given, std::vector<std::string>* duplicates) {
    if (auto wrong = check_yaml_characters(given)) return DecodeError{"yaml: " + *wrong, true};
    std::string copy;
    const std::string_view text = with_line_feeds(given, copy);
    try {
        std::istringstream stream{std::string(text)};
        YAML::Parser parser(stream);
        std::vector<std::string> repeated;
        Handler handler(text, &repeated);
        if (!parser.HandleNextDocument(handler)) return Json(nullptr);
        if (handler.unterminated()) {
            const int line = static_cast<int>(std::count(text.begin(), text.end(), '\n'));
            return DecodeError{"yaml: " + go_line(line, "") + "found unexpected end of stream", true};
        }
        if (auto error = check_rest(parser, text, handler.root)) return std::move(*error);
        if (duplicates != nullptr && !repeated.empty()) {
            std::string complaint = "yaml: unmarshal errors:";
            for (const std::string& line : repeated) complaint += "\n  " + line;
            duplicates->push_back(std::move(complaint));
        }
        return std::move(handler.root);
    } catch (const YAML::Exception& error) {
        // A tab is no indentation for go-yaml.
        const bool ends_in_flow = error.msg.find(" flow not found") != std::string::npos &&
                                  static_cast<std::size_t>(std::max(error.mark.pos, 0)) > text.find_last_not_of(" \t\r\n");
        const std::string words = go_words(error, text);
        if (error.mark.line >= 0 && indented_by_tab(text, error.mark.line)) {
            return DecodeError{"yaml: " + go_line(error.mark.line, "") + "found character that cannot start any token", true};
        }
        return DecodeError{"yaml: " + at_key(text, error.mark.pos, ends_in_flow ? line_of_end(text) : error.mark.line, words), true};
    } catch (const Refused& refused) {
        return DecodeError{refused.message, true};
    }
}

std::string encode_yaml(const Json& document) {
    std::string out;
    emit(out, document, 0, false);
    return out;
}

}  // namespace kubemu::api
