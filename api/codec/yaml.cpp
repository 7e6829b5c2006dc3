// yaml-cpp's events to JSON values; its exceptions end here.
#include "api/codec/yaml.h"

#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/yaml.h>

#include <charconv>
#include <cmath>
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <sstream>

#include "api/values/text.h"
#include "storage/base/limits.h"

namespace kubemu::api {
namespace {

struct TooLarge {};

// A plain scalar by YAML 1.1's rules as go-yaml applies them.
Json plain_scalar(const std::string& text) {
    static const std::set<std::string> truths = {"y", "Y", "yes", "Yes", "YES", "true", "True", "TRUE", "on", "On", "ON"};
    static const std::set<std::string> lies = {"n", "N", "no", "No", "NO", "false", "False", "FALSE", "off", "Off", "OFF"};
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
    if (auto [stop, error] = std::from_chars(start, end, magnitude, base); error == std::errc() && stop == end) {
        if (!negative) return magnitude <= INT64_MAX ? Json(static_cast<std::int64_t>(magnitude)) : Json(magnitude);
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
    explicit Handler(std::vector<std::string>* duplicates) : duplicates_(duplicates) {}

    void OnDocumentStart(const YAML::Mark&) override {}
    void OnDocumentEnd() override {}
    void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override { add(nullptr, mark, anchor); }
    void OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) override {
        const auto found = anchors_.find(anchor);
        add(found == anchors_.end() ? Json(nullptr) : found->second, mark, 0);
    }
    void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor, const std::string& value) override {
        add(tag == "!" || tag == "tag:yaml.org,2002:str" ? Json(value) : plain_scalar(value), mark, anchor);
    }
    void OnSequenceStart(const YAML::Mark& mark, const std::string&, YAML::anchor_t anchor, YAML::EmitterStyle::value) override {
        open(Json::array(), mark, anchor);
    }
    void OnSequenceEnd() override { close(); }
    void OnMapStart(const YAML::Mark& mark, const std::string&, YAML::anchor_t anchor, YAML::EmitterStyle::value) override {
        open(Json::object(), mark, anchor);
    }
    void OnMapEnd() override { close(); }

    Json root;

  private:
    struct Frame {
        Json value;
        std::string key;
        bool has_key = false;
        YAML::anchor_t anchor = 0;
        YAML::Mark mark;
    };

    static std::size_t nodes_of(const Json& value) {
        std::size_t count = 1;
        if (value.is_structured()) {
            for (const Json& item : value) count += nodes_of(item);
        }
        return count;
    }

    void open(Json container, const YAML::Mark& mark, YAML::anchor_t anchor) {
        if (frames_.size() >= limits::document_depth_max) throw TooLarge{};
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
        if (nodes_ > limits::yaml_nodes_max) throw TooLarge{};
        if (frames_.empty()) {
            root = std::move(value);
            return;
        }
        Frame& frame = frames_.back();
        if (frame.value.is_array()) {
            frame.value.push_back(std::move(value));
        } else if (!frame.has_key) {
            frame.key = value.is_string() ? value.get<std::string>() : value.is_null() ? "null" : value.dump();
            frame.has_key = true;
            if (duplicates_ != nullptr && frame.value.contains(frame.key)) {
                duplicates_->push_back("line " + std::to_string(mark.line + 1) + ": key " + go_quote(frame.key) +
                                       " already set in map");
            }
        } else {
            if (frame.key == "<<" && value.is_object()) {
                for (auto& [name, item] : value.items()) {
                    if (!frame.value.contains(name)) frame.value[name] = item;
                }
            } else {
                frame.value[frame.key] = std::move(value);
            }
            frame.has_key = false;
        }
    }

    std::vector<std::string>* duplicates_;
    std::vector<Frame> frames_;
    std::map<YAML::anchor_t, Json> anchors_;
    std::size_t nodes_ = 0;
};

bool looks_plain(const std::string& text) {
    if (text.empty() || text != trim(text)) return false;
    if (!plain_scalar(text).is_string()) return false;
    if (std::string_view("-?:,[]{}#&*!|>'\"%@`=").find(text[0]) != std::string_view::npos) return false;
    if (text.find(": ") != std::string::npos || text.find(" #") != std::string::npos || text.back() == ':') return false;
    for (const char c : text) {
        if (static_cast<unsigned char>(c) < 0x20) return false;
    }
    return true;
}

void emit(std::string& out, const Json& value, int indent, bool in_sequence);

void emit_scalar(std::string& out, const Json& value, int indent) {
    if (!value.is_string()) {
        append_raw(out, value);
        return;
    }
    const auto& text = value.get_ref<const std::string&>();
    if (looks_plain(text)) {
        out += text;
    } else if (text.find('\n') != std::string::npos && text.find_first_of("\t\r") == std::string::npos && text[0] != ' ' && text[0] != '\n') {
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
    } else if (text.find_first_of("\n\t\r\\\"") == std::string::npos || text.find('\'') == std::string::npos) {
        const bool control = text.find_first_of("\n\t\r") != std::string::npos;
        if (control) {
            append_json_string(out, text);
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
        if (!first || !in_sequence) out.append(first && in_sequence ? 0 : static_cast<std::size_t>(indent), ' ');
        first = false;
        emit_scalar(out, Json(name), indent);
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
    if (value.is_object()) out += "{}";
    else if (value.is_array()) out += "[]";
    else emit_scalar(out, value, indent);
    out += '\n';
}

}  // namespace

Result<Json, DecodeError> parse_yaml(std::string_view text, std::vector<std::string>* duplicates) {
    try {
        std::istringstream stream{std::string(text)};
        YAML::Parser parser(stream);
        Handler handler(duplicates);
        if (!parser.HandleNextDocument(handler)) return Json(nullptr);
        return std::move(handler.root);
    } catch (const YAML::Exception& error) {
        return DecodeError{"error converting YAML to JSON: yaml: line " + std::to_string(error.mark.line + 1) + ": " + error.msg, true};
    } catch (const TooLarge&) {
        return DecodeError{"error converting YAML to JSON: yaml: document contains excessive aliasing", true};
    }
}

std::string encode_yaml(const Json& document) {
    std::string out;
    emit(out, document, 0, false);
    return out;
}

}  // namespace kubemu::api
