// One predicate a format.
#include "api/values/formats.h"

#include <re2/re2.h>

#include <algorithm>
#include <cctype>
#include <map>
#include <string>

#include "api/values/net.h"
#include "api/values/text.h"

namespace kubemu::api {
namespace {

bool full(std::string_view text, const re2::RE2& expression) {
    return re2::RE2::PartialMatch(re2::StringPiece(text.data(), text.size()), expression);
}

std::string digits_of(std::string_view text) {
    std::string out;
    for (const char c : text) {
        if (std::isdigit(static_cast<unsigned char>(c)) != 0) out += c;
    }
    return out;
}

int number(std::string_view text) { return std::atoi(std::string(text).c_str()); }

bool is_date(std::string_view text) {
    static const re2::RE2 form(R"(^[0-9]{4}-[0-9]{2}-[0-9]{2}$)");
    if (!full(text, form)) return false;
    const int year = number(text.substr(0, 4)), month = number(text.substr(5, 2)), day = number(text.substr(8, 2));
    static constexpr int lengths[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    if (month < 1 || month > 12 || day < 1) return false;
    const bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    return day <= lengths[month - 1] + (month == 2 && leap ? 1 : 0);
}

bool is_date_time(std::string_view text) {
    const std::string small = lower(text);
    const std::size_t t = small.find('t');
    if (t == std::string::npos || !is_date(small.substr(0, t))) return false;
    static const re2::RE2 form(R"(^([0-9]{2}):([0-9]{2}):([0-9]{2})(.[0-9]+)?(z|([+-][0-9]{2}:[0-9]{2}))$)");
    int hours = 0, minutes = 0, seconds = 0;
    const std::string rest = small.substr(t + 1);
    if (!re2::RE2::PartialMatch(rest, form, &hours, &minutes, &seconds)) return false;
    return hours <= 23 && minutes <= 59 && seconds <= 59;
}

bool is_duration(std::string_view text) {
    static const re2::RE2 go(R"(^[-+]?(0|(([0-9]+(\.[0-9]*)?|\.[0-9]+)(ns|us|µs|μs|ms|s|m|h))+)$)");
    static const re2::RE2 words(
        R"(^\s*[0-9]+\s*(ns|nano|nanos|nanosecond|nanoseconds|us|µs|micro|micros|microsecond|microseconds|ms|milli|millis|)"
        R"(millisecond|milliseconds|s|sec|secs|second|seconds|m|min|mins|minute|minutes|h|hr|hrs|hour|hours|d|day|days|w|)"
        R"(week|weeks|wk|wks)\s*$)");
    return full(text, go) || full(text, words);
}

bool is_ipv4(std::string_view text) {
    return text.find('.') != std::string_view::npos && NetipAddress::parse(without_leading_zeros(text)).has_value();
}
bool is_ipv6(std::string_view text) { return text.find(':') != std::string_view::npos && NetipAddress::parse(text).has_value(); }
bool is_cidr(std::string_view text) { return Cidr::parse(without_leading_zeros(text)).has_value(); }
bool is_uri(std::string_view text) { return Url::parse_request(text).has_value(); }

bool is_email(std::string_view text) {
    // An address alone, or in angle brackets behind a name (net/mail.ParseAddress).
    static const re2::RE2 address(
        "^(?:(?:[^<>@,;:\\\\\"\\[\\]()]*|\\s*\"[^\"]*\"\\s*)<)?"
        "(?:[a-zA-Z0-9!#$%&'*+/=?^_`{|}~-]+(?:\\.[a-zA-Z0-9!#$%&'*+/=?^_`{|}~-]+)*|\"(?:[^\"\\\\]|\\\\.)+\")"
        "@(?:[a-zA-Z0-9!#$%&'*+/=?^_`{|}~-]+(?:\\.[a-zA-Z0-9!#$%&'*+/=?^_`{|}~-]+)*|\\[[^\\[\\]]+\\])(>?)\\s*$");
    std::string closing;
    const std::string copy(trim(text));
    if (!re2::RE2::PartialMatch(copy, address, &closing)) return false;
    return (closing == ">") == (copy.find('<') != std::string::npos);
}

// A letter or digit of a host name; other scripts' letters and symbols count.
bool is_host_letter(char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0 || static_cast<unsigned char>(c) >= 0x80; }

bool is_host_label(std::string_view label) {
    return !label.empty() && label.size() <= 63 && is_host_letter(label.front()) && is_host_letter(label.back()) &&
           std::all_of(label.begin(), label.end(), [](char c) { return c == '-' || is_host_letter(c); });
}

// One label, or several of which the last has two letters or more and no digits (RFC 1034 and 1123).
bool is_hostname(std::string_view text) {
    const auto parts = split(text, '.');
    if (text.size() > 255 || !std::all_of(parts.begin(), parts.end(), is_host_label)) return false;
    const std::string_view last = parts.back();
    if (parts.size() == 1) return last.find('-', std::min<std::size_t>(2, last.size())) == std::string_view::npos;
    return last.size() >= 2 && std::none_of(last.begin(), last.end(), [](char c) { return c == '-' || (c >= '0' && c <= '9'); });
}

bool is_isbn10(std::string_view text) {
    std::string plain;
    for (const char c : text) {
        if (c != '-' && c != ' ') plain += c;
    }
    static const re2::RE2 form("^[0-9]{9}[0-9X]$");
    if (!full(plain, form)) return false;
    int sum = 0;
    for (int i = 0; i < 9; ++i) sum += (i + 1) * (plain[static_cast<std::size_t>(i)] - '0');
    sum += 10 * (plain[9] == 'X' ? 10 : plain[9] - '0');
    return sum % 11 == 0;
}

bool is_isbn13(std::string_view text) {
    std::string plain;
    for (const char c : text) {
        if (c != '-' && c != ' ') plain += c;
    }
    if (plain.size() != 13 || digits_of(plain) != plain) return false;
    int sum = 0;
    for (std::size_t i = 0; i < 12; ++i) sum += (i % 2 == 0 ? 1 : 3) * (plain[i] - '0');
    return (plain[12] - '0') == (10 - sum % 10) % 10;
}

bool is_credit_card(std::string_view text) {
    static const re2::RE2 form(
        R"(^(?:4[0-9]{12}(?:[0-9]{3})?|5[1-5][0-9]{14}|6(?:011|5[0-9][0-9])[0-9]{12}|3[47][0-9]{13}|3(?:0[0-5]|[68][0-9])[0-9]{11}|(?:2131|1800|35\d{3})\d{11})$)");
    const std::string plain = digits_of(text);
    if (!full(plain, form)) return false;
    int sum = 0;
    bool twice = false;
    for (auto at = plain.rbegin(); at != plain.rend(); ++at, twice = !twice) {
        int digit = *at - '0';
        if (twice && (digit *= 2) > 9) digit -= 9;
        sum += digit;
    }
    return sum % 10 == 0;
}

bool anything(std::string_view) { return true; }

// Formats that are one pattern.
template <const char* pattern>
bool form(std::string_view text) {
    static const re2::RE2 expression(pattern);
    return full(text, expression);
}

constexpr char uuid[] = "(?i)^[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}$";
constexpr char uuid3[] = "(?i)^[0-9a-f]{8}-?[0-9a-f]{4}-?3[0-9a-f]{3}-?[0-9a-f]{4}-?[0-9a-f]{12}$";
constexpr char uuid4[] = "(?i)^[0-9a-f]{8}-?[0-9a-f]{4}-?4[0-9a-f]{3}-?[89ab][0-9a-f]{3}-?[0-9a-f]{12}$";
constexpr char uuid5[] = "(?i)^[0-9a-f]{8}-?[0-9a-f]{4}-?5[0-9a-f]{3}-?[89ab][0-9a-f]{3}-?[0-9a-f]{12}$";
constexpr char object_id[] = "^[0-9a-fA-F]{24}$";
constexpr char ssn[] = R"(^\d{3}[- ]?\d{2}[- ]?\d{4}$)";
constexpr char hex_color[] = "^#?([0-9a-fA-F]{3}|[0-9a-fA-F]{6})$";
constexpr char rgb_color[] =
    R"(^rgb\(\s*(0|[1-9]\d?|1\d\d?|2[0-4]\d|25[0-5])\s*,\s*(0|[1-9]\d?|1\d\d?|2[0-4]\d|25[0-5])\s*,\s*(0|[1-9]\d?|1\d\d?|2[0-4]\d|25[0-5])\s*\)$)";
constexpr char base64[] = R"(^(?:[A-Za-z0-9+\/]{4})*(?:[A-Za-z0-9+\/]{2}==|[A-Za-z0-9+\/]{3}=|[A-Za-z0-9+\/]{4})$)";
constexpr char short_name[] = "^[a-z0-9]([-a-z0-9]*[a-z0-9])?$";
constexpr char long_name[] = R"(^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$)";

bool is_short_name(std::string_view text) { return text.size() <= 63 && form<short_name>(text); }
bool is_long_name(std::string_view text) { return text.size() <= 253 && form<long_name>(text); }
bool is_isbn(std::string_view text) { return is_isbn10(text) || is_isbn13(text); }

}  // namespace

bool matches_format(std::string_view format, std::string_view text) {
    using Check = bool (*)(std::string_view);
    static const std::map<std::string, Check> checks = {
        {"bsonobjectid", form<object_id>}, {"uri", is_uri},          {"email", is_email},
        {"hostname", is_hostname},         {"ipv4", is_ipv4},        {"ipv6", is_ipv6},
        {"cidr", is_cidr},                 {"mac", is_mac},          {"uuid", form<uuid>},
        {"uuid3", form<uuid3>},            {"uuid4", form<uuid4>},   {"uuid5", form<uuid5>},
        {"isbn", is_isbn},                 {"isbn10", is_isbn10},    {"isbn13", is_isbn13},
        {"creditcard", is_credit_card},    {"ssn", form<ssn>},       {"hexcolor", form<hex_color>},
        {"rgbcolor", form<rgb_color>},     {"byte", form<base64>},   {"password", anything},
        {"date", is_date},                 {"duration", is_duration}, {"datetime", is_date_time},
        {"k8sshortname", is_short_name},   {"k8slongname", is_long_name}};
    std::string plain(format);
    plain.erase(std::remove(plain.begin(), plain.end(), '-'), plain.end());
    const auto at = checks.find(plain);
    return at == checks.end() || at->second(text);
}

}  // namespace kubemu::api
