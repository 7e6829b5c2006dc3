// Builds documents in place: a value is read into where it will stay.
#include "api/codec/json_untyped.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdlib>
#include <nlohmann/json.hpp>
#include <tuple>
#include <utility>

#include "api/values/text.h"

namespace kubemu::api {
namespace {

using Token = JsonReader::Token;

// sigs.k8s.io/json stops counting there.
constexpr std::size_t complaints_max = 100;

}  // namespace

bool parse_integer(std::string_view text, std::int64_t& value) {
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    return error == std::errc() && end == text.data() + text.size();
}

bool parse_float(std::string_view text, double& value) {
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (end != text.data() + text.size()) return false;
    if (error == std::errc::result_out_of_range) {
        value = std::strtod(std::string(text).c_str(), nullptr);
        return !std::isinf(value);
    }
    return error == std::errc();
}

void add_complaint(std::vector<std::string>& complaints, std::string_view what, std::string_view path) {
    if (complaints.size() >= complaints_max) return;
    std::string text = std::string(what) + " field " + go_quote(path);
    if (std::find(complaints.begin(), complaints.end(), text) == complaints.end()) complaints.push_back(std::move(text));
}

Json UntypedDecoder::value() {
    Json out;
    read(out);
    return out;
}

void UntypedDecoder::read(Json& out) {
    switch (reader_.peek()) {
        case Token::null:
            reader_.skip();
            out = nullptr;
            return;
        case Token::boolean:
            out = reader_.skip() == "true";
            return;
        case Token::string:
            out = Json(reader_.string(room_));
            return;
        case Token::number:
            return read_number(out);
        case Token::array:
            return read_array(out);
        case Token::object:
            return read_object(out);
    }
}

void UntypedDecoder::read_number(Json& out) {
    const std::string_view text = reader_.skip();
    std::int64_t integer = 0;
    double number = 0;
    if (parse_integer(text, integer)) {
        out = integer;
    } else if (parse_float(text, number)) {
        out = number;
    } else {
        out = nullptr;
        if (!error_) error_ = "json: cannot unmarshal number " + std::string(text) + " into Go value of type float64";
    }
}

void UntypedDecoder::read_array(Json& out) {
    out = Json::array();
    auto& items = out.get_ref<Json::array_t&>();
    for (reader_.begin(); reader_.next();) {
        const std::size_t before = path_.size();
        if (complaints_ != nullptr) path_ += "[" + std::to_string(items.size()) + "]";
        read(items.emplace_back());
        if (complaints_ != nullptr) path_.resize(before);
    }
}

void UntypedDecoder::read_object(Json& out) {
    out = Json::object();
    auto& members = out.get_ref<Json::object_t&>();
    for (reader_.begin(); reader_.next();) {
        // Maps and field sets are written in the order of their names, so that most come after all that are there.
        const std::size_t count = members.size();
        const auto member = members.emplace_hint(members.end(), std::piecewise_construct,
                                                 std::forward_as_tuple(reader_.name(room_)), std::forward_as_tuple());
        // Only complaints are told where they are.
        if (complaints_ == nullptr) {
            read(member->second);
            continue;
        }
        const std::size_t before = path_.size();
        (path_ += before == 0 ? "" : ".") += member->first;
        if (members.size() == count) add_complaint(*complaints_, "duplicate", path_);
        read(member->second);
        path_.resize(before);
    }
}

}  // namespace kubemu::api
