// The types that Kubernetes adds: URLs, addresses, networks, quantities, named formats, semantic versions
// (k8s.io/apiserver/pkg/cel/library).
#include <algorithm>
#include <charconv>
#include <map>

#include "api/cel/function_list.h"
#include "api/values/formats.h"
#include "api/values/names.h"
#include "api/values/text.h"

namespace kubemu::api::cel {
namespace {

bool is_text(const Arguments& a) { return a[0].kind == Kind::string; }

// ---------------------------------------------------------------- URLs

Value url(const Arguments& a) {
    if (!is_text(a)) return no_overload();
    std::string error;
    auto parsed = Url::parse_request(a[0].str(), &error);
    if (!parsed) return Value::error("URL parse error during conversion from string: " + error);
    return Value::extended(Kind::url, std::move(*parsed), a[0].str());
}
Value is_url(const Arguments& a) { return is_text(a) ? Value::of(Url::parse_request(a[0].str()).has_value()) : no_overload(); }

template <std::string (*part)(const Url&)>
Value url_part(const Arguments& a) {
    return a[0].kind == Kind::url ? Value::of(part(a[0].as<Url>())) : no_overload();
}
std::string scheme_of(const Url& u) { return u.scheme; }
std::string host_of(const Url& u) { return u.host; }
std::string hostname_of(const Url& u) { return u.hostname(); }
std::string port_of(const Url& u) { return u.port(); }
std::string path_of(const Url& u) { return u.escaped_path(); }

Value url_query(const Arguments& a) {
    if (a[0].kind != Kind::url) return no_overload();
    std::map<std::string, Value::List> values;
    for (const std::string_view pair : split(a[0].as<Url>().raw_query, '&')) {
        if (pair.empty()) continue;
        const std::size_t equals = pair.find('=');
        const std::string_view value = equals == std::string_view::npos ? std::string_view() : pair.substr(equals + 1);
        values[percent_decode(pair.substr(0, equals), true)].push_back(Value::of(percent_decode(value, true)));
    }
    Value::Entries entries;
    for (auto& [name, list] : values) entries.emplace_back(Value::of(name), Value::of(std::move(list)));
    return Value::of(std::move(entries));
}

// ---------------------------------------------------------------- Addresses and networks

std::optional<NetipAddress> parsed_ip(const std::string& text) {
    const auto address = NetipAddress::parse(text);
    return address && !address->is_mapped() ? address : std::nullopt;
}

Value ip(const Arguments& a) {
    if (a[0].kind == Kind::cidr) {
        const NetipAddress address = a[0].as<Cidr>().address;
        return Value::extended(Kind::ip, address, address.text());
    }
    if (!is_text(a)) return no_overload();
    const auto address = parsed_ip(a[0].str());
    if (!address) return Value::error("IP Address " + go_quote(a[0].str()) + " parse error during conversion from string");
    return Value::extended(Kind::ip, *address, address->text());
}
Value is_ip(const Arguments& a) { return is_text(a) ? Value::of(parsed_ip(a[0].str()).has_value()) : no_overload(); }
Value is_canonical(const Arguments& a) {
    if (!is_text(a)) return no_overload();
    const auto address = parsed_ip(a[0].str());
    if (!address) return Value::error("IP Address " + go_quote(a[0].str()) + " parse error during conversion from string");
    return Value::of(address->text() == a[0].str());
}
Value family(const Arguments& a) { return a[0].kind == Kind::ip ? Value::of(std::int64_t{a[0].as<NetipAddress>().v6 ? 6 : 4}) : no_overload(); }

template <bool (NetipAddress::*test)() const>
Value ip_test(const Arguments& a) {
    return a[0].kind == Kind::ip ? Value::of((a[0].as<NetipAddress>().*test)()) : no_overload();
}

std::optional<Cidr> parsed_cidr(const std::string& text) {
    const auto network = Cidr::parse(text);
    return network && !network->address.is_mapped() ? network : std::nullopt;
}

Value network_error(const std::string& text) { return Value::error("CIDR " + go_quote(text) + " parse error during conversion from string"); }

Value cidr(const Arguments& a) {
    if (!is_text(a)) return no_overload();
    const auto network = parsed_cidr(a[0].str());
    return network ? Value::extended(Kind::cidr, *network, network->text()) : network_error(a[0].str());
}
Value is_cidr(const Arguments& a) { return is_text(a) ? Value::of(parsed_cidr(a[0].str()).has_value()) : no_overload(); }

Value contains_ip(const Arguments& a) {
    if (a[0].kind != Kind::cidr) return no_overload();
    if (a[1].kind == Kind::ip) return Value::of(a[0].as<Cidr>().contains(a[1].as<NetipAddress>()));
    const Value address = ip({a[1]});
    return address.is_error() ? address : Value::of(a[0].as<Cidr>().contains(address.as<NetipAddress>()));
}
Value contains_cidr(const Arguments& a) {
    if (a[0].kind != Kind::cidr) return no_overload();
    if (a[1].kind == Kind::cidr) return Value::of(a[0].as<Cidr>().contains(a[1].as<Cidr>()));
    const Value network = cidr({a[1]});
    return network.is_error() ? network : Value::of(a[0].as<Cidr>().contains(network.as<Cidr>()));
}
Value masked(const Arguments& a) {
    if (a[0].kind != Kind::cidr) return no_overload();
    const Cidr network = a[0].as<Cidr>().masked();
    return Value::extended(Kind::cidr, network, network.text());
}
Value prefix_length(const Arguments& a) {
    return a[0].kind == Kind::cidr ? Value::of(static_cast<std::int64_t>(a[0].as<Cidr>().prefix)) : no_overload();
}

// ---------------------------------------------------------------- Quantities

Value of_quantity(const Quantity& quantity) { return Value::extended(Kind::quantity, quantity, quantity.text()); }

Value quantity(const Arguments& a) {
    if (!is_text(a)) return no_overload();
    const auto parsed = Quantity::parse(a[0].str());
    if (parsed) return of_quantity(*parsed);
    return Value::error("quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'");
}
Value is_quantity(const Arguments& a) { return is_text(a) ? Value::of(Quantity::parse(a[0].str()).has_value()) : no_overload(); }

bool whole(const Quantity& quantity) { return Quantity::from_value(quantity.value()) == quantity; }

Value is_integer(const Arguments& a) { return a[0].kind == Kind::quantity ? Value::of(whole(a[0].as<Quantity>())) : no_overload(); }
Value as_integer(const Arguments& a) {
    if (a[0].kind != Kind::quantity) return no_overload();
    if (!whole(a[0].as<Quantity>())) return Value::error("cannot convert value to integer");
    return Value::of(a[0].as<Quantity>().value());
}
Value as_float(const Arguments& a) {
    return a[0].kind == Kind::quantity ? Value::of(static_cast<double>(a[0].as<Quantity>().milli_value()) / 1000) : no_overload();
}
Value sign(const Arguments& a) {
    if (a[0].kind != Kind::quantity) return no_overload();
    const Quantity& q = a[0].as<Quantity>();
    return Value::of(std::int64_t{q.is_zero() ? 0 : q.is_negative() ? -1 : 1});
}
template <bool adds>
Value changed(const Arguments& a) {
    if (a[0].kind != Kind::quantity) return no_overload();
    Quantity result = a[0].as<Quantity>();
    if (a[1].kind != Kind::quantity && a[1].kind != Kind::integer) return no_overload();
    const Quantity by = a[1].kind == Kind::quantity ? a[1].as<Quantity>() : Quantity::from_value(a[1].integer);
    if (adds) result += by;
    else result -= by;
    return of_quantity(result);
}

// ---------------------------------------------------------------- Semantic versions

std::optional<Semver> parse_semver(std::string text, bool normalize) {
    if (normalize) {
        if (!text.empty() && text[0] == 'v') text.erase(0, 1);
        const std::string core = text.substr(0, text.find_first_of("-+"));
        const auto dots = std::count(core.begin(), core.end(), '.');
        if (dots < 2) text = core + (dots == 0 ? ".0.0" : ".0") + text.substr(core.size());
    }
    Semver version;
    text = text.substr(0, text.find('+'));
    const std::size_t dash = text.find('-');
    if (dash != std::string::npos) {
        for (const std::string_view part : split(std::string_view(text).substr(dash + 1), '.')) {
            if (part.empty()) return std::nullopt;
            version.prerelease.emplace_back(part);
        }
    }
    const std::string core = text.substr(0, dash);
    const auto parts = split(core, '.');
    if (parts.size() != 3) return std::nullopt;
    std::uint64_t* const numbers[] = {&version.major, &version.minor, &version.patch};
    for (std::size_t i = 0; i < 3; ++i) {
        const std::string_view part = parts[i];
        const auto [end, error] = std::from_chars(part.data(), part.data() + part.size(), *numbers[i]);
        if (part.empty() || error != std::errc() || end != part.data() + part.size()) return std::nullopt;
        if (part.size() > 1 && part[0] == '0' && !normalize) return std::nullopt;
    }
    return version;
}

int compare_part(const std::string& a, const std::string& b) {
    const auto digits = [](const std::string& text) { return text.find_first_not_of("0123456789") == std::string::npos; };
    if (digits(a) != digits(b)) return digits(a) ? -1 : 1;
    if (digits(a) && a.size() != b.size()) return a.size() < b.size() ? -1 : 1;
    return a < b ? -1 : a > b ? 1 : 0;
}

int compare_versions(const Semver& a, const Semver& b) {
    const std::uint64_t left[] = {a.major, a.minor, a.patch}, right[] = {b.major, b.minor, b.patch};
    for (std::size_t i = 0; i < 3; ++i) {
        if (left[i] != right[i]) return left[i] < right[i] ? -1 : 1;
    }
    if (a.prerelease.empty() != b.prerelease.empty()) return a.prerelease.empty() ? 1 : -1;
    for (std::size_t i = 0; i < std::min(a.prerelease.size(), b.prerelease.size()); ++i) {
        if (const int order = compare_part(a.prerelease[i], b.prerelease[i])) return order;
    }
    return a.prerelease.size() < b.prerelease.size() ? -1 : a.prerelease.size() > b.prerelease.size() ? 1 : 0;
}

Value semver(const Arguments& a) {
    if (!is_text(a)) return no_overload();
    auto version = parse_semver(a[0].str(), a.size() > 1 && a[1].truth);
    if (!version) return Value::error("invalid semantic version " + go_quote(a[0].str()));
    std::string text = std::to_string(version->major) + "." + std::to_string(version->minor) + "." + std::to_string(version->patch);
    for (std::size_t i = 0; i < version->prerelease.size(); ++i) text += (i == 0 ? "-" : ".") + version->prerelease[i];
    return Value::extended(Kind::semver, std::move(*version), std::move(text));
}
Value is_semver(const Arguments& a) {
    return is_text(a) ? Value::of(parse_semver(a[0].str(), a.size() > 1 && a[1].truth).has_value()) : no_overload();
}
template <std::uint64_t Semver::*part>
Value version_part(const Arguments& a) {
    return a[0].kind == Kind::semver ? Value::of(static_cast<std::int64_t>(a[0].as<Semver>().*part)) : no_overload();
}

// ---------------------------------------------------------------- Order of quantities and versions

std::optional<std::int64_t> order(const Arguments& a) {
    if (a[0].kind != a[1].kind) return std::nullopt;
    if (a[0].kind == Kind::semver) return compare_versions(a[0].as<Semver>(), a[1].as<Semver>());
    if (a[0].kind != Kind::quantity) return std::nullopt;
    const Quantity &left = a[0].as<Quantity>(), &right = a[1].as<Quantity>();
    return left == right ? 0 : left < right ? -1 : 1;
}
Value compare_to(const Arguments& a) {
    const auto by = order(a);
    return by ? Value::of(*by) : no_overload();
}
Value is_greater(const Arguments& a) {
    const auto by = order(a);
    return by ? Value::of(*by > 0) : no_overload();
}
Value is_less(const Arguments& a) {
    const auto by = order(a);
    return by ? Value::of(*by < 0) : no_overload();
}

// ---------------------------------------------------------------- Named formats

Messages format_messages(const std::string& name, const std::string& text) {
    const auto form = [&](const char* format, const char* message) { return matches_format(format, text) ? Messages() : Messages{message}; };
    if (name == "dns1123Label") return check_dns1123_label(text);
    if (name == "dns1123Subdomain") return check_dns1123_subdomain(text);
    if (name == "dns1035Label") return check_dns1035_label(text);
    if (name == "qualifiedName") return check_qualified_name(text);
    if (name == "dns1123LabelPrefix") return check_name_as_label(text, true);
    if (name == "dns1123SubdomainPrefix") return check_name_as_subdomain(text, true);
    if (name == "dns1035LabelPrefix") return check_name_as_dns1035(text, true);
    if (name == "labelValue") return check_label_value(text);
    if (name == "uri") return form("uri", "invalid URI");
    if (name == "uuid") return form("uuid", "does not match the UUID format");
    if (name == "byte") return form("byte", "invalid base64");
    if (name == "date") return form("date", "invalid date");
    return form("datetime", "invalid datetime");
}

constexpr const char* format_names[] = {"dns1123Label", "dns1123Subdomain", "dns1035Label", "qualifiedName", "dns1123LabelPrefix",
                                        "dns1123SubdomainPrefix", "dns1035LabelPrefix", "labelValue", "uri", "uuid", "byte", "date", "datetime"};

Value format_value(std::size_t index) {
    Value made;
    made.kind = Kind::format;
    made.text = std::make_shared<const std::string>(format_names[index]);
    return made;
}

template <std::size_t index>
Value named_format(const Arguments&) {
    return format_value(index);
}

Value find_format(const Arguments& a) {
    if (!is_text(a)) return no_overload();
    for (std::size_t i = 0; i < std::size(format_names); ++i) {
        if (a[0].str() == format_names[i]) return Value::some(format_value(i));
    }
    return Value::none();
}

Value validate_format(const Arguments& a) {
    if (a[0].kind != Kind::format) return no_overload();
    const Messages messages = format_messages(a[0].str(), a[1].str());
    if (messages.empty()) return Value::none();
    Value::List list;
    for (const std::string& message : messages) list.push_back(Value::of(message));
    return Value::some(Value::of(std::move(list)));
}

}  // namespace

std::span<const NamedFunction> kubernetes_functions() {
    static constexpr NamedFunction functions[] = {
        {"url", url},
        {"isURL", is_url},
        {"getScheme", url_part<scheme_of>},
        {"getHost", url_part<host_of>},
        {"getHostname", url_part<hostname_of>},
        {"getPort", url_part<port_of>},
        {"getEscapedPath", url_part<path_of>},
        {"getQuery", url_query},
        {"ip", ip},
        {"isIP", is_ip},
        {"ip.isCanonical", is_canonical},
        {"family", family},
        {"isUnspecified", ip_test<&NetipAddress::unspecified>},
        {"isLoopback", ip_test<&NetipAddress::loopback>},
        {"isLinkLocalMulticast", ip_test<&NetipAddress::link_local_multicast>},
        {"isLinkLocalUnicast", ip_test<&NetipAddress::link_local_unicast>},
        {"isGlobalUnicast", ip_test<&NetipAddress::global_unicast>},
        {"cidr", cidr},
        {"isCIDR", is_cidr},
        {"containsIP", contains_ip},
        {"containsCIDR", contains_cidr},
        {"masked", masked},
        {"prefixLength", prefix_length},
        {"quantity", quantity},
        {"isQuantity", is_quantity},
        {"isInteger", is_integer},
        {"asInteger", as_integer},
        {"asApproximateFloat", as_float},
        {"sign", sign},
        {"add", changed<true>},
        {"sub", changed<false>},
        {"compareTo", compare_to},
        {"isGreaterThan", is_greater},
        {"isLessThan", is_less},
        {"semver", semver},
        {"isSemver", is_semver},
        {"major", version_part<&Semver::major>},
        {"minor", version_part<&Semver::minor>},
        {"patch", version_part<&Semver::patch>},
        {"format.named", find_format},
        {"format.dns1123Label", named_format<0>},
        {"format.dns1123Subdomain", named_format<1>},
        {"format.dns1035Label", named_format<2>},
        {"format.qualifiedName", named_format<3>},
        {"format.dns1123LabelPrefix", named_format<4>},
        {"format.dns1123SubdomainPrefix", named_format<5>},
        {"format.dns1035LabelPrefix", named_format<6>},
        {"format.labelValue", named_format<7>},
        {"format.uri", named_format<8>},
        {"format.uuid", named_format<9>},
        {"format.byte", named_format<10>},
        {"format.date", named_format<11>},
        {"format.datetime", named_format<12>},
        {"validate", validate_format},
    };
    return functions;
}

}  // namespace kubemu::api::cel
