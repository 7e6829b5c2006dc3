// Compares an address as it was written with what two parsers make of it: a lenient and a strict one.
#include "api/kinds/address_warnings.h"

#include "api/values/ip_address.h"
#include "api/values/net.h"
#include "api/values/text.h"

namespace kubemu::api {

void warn_of_ip(std::string_view address, const FieldPath& path, std::vector<std::string>& warnings) {
    const auto lenient = IpAddress::parse(address);
    if (!lenient) return;
    const auto strict = NetipAddress::parse(address);
    const std::string canonical = lenient->text();
    if (!strict || strict->is_mapped()) {
        warnings.push_back(path.text() + ": non-standard IP address " + go_quote(address) + " is invalid: use " +
                           go_quote(canonical));
    } else if (strict->v6 && canonical != address) {
        warnings.push_back(path.text() + ": IPv6 address " + go_quote(address) +
                           " should be in RFC 5952 canonical format (" + go_quote(canonical) + ")");
    }
}

void warn_of_cidr(std::string_view network, const FieldPath& path, std::vector<std::string>& warnings) {
    const auto lenient = IpNetwork::parse(network);
    const auto address = IpAddress::parse(network.substr(0, network.find('/')));
    if (!lenient || !address) return;
    const std::string canonical = lenient->text();
    bool warned = false;
    if (!(*address == lenient->address)) {
        warnings.push_back(path.text() + ": CIDR value " + go_quote(network) +
                           " is ambiguous in this context (should be " + go_quote(canonical) + " or " +
                           go_quote(address->text() + (lenient->v4 ? "/32" : "/128")) + "?)");
        warned = true;
    }
    const auto strict = Cidr::parse(network);
    if (!strict || strict->address.is_mapped()) {
        warnings.push_back(path.text() + ": non-standard CIDR value " + go_quote(network) + " is invalid: use " +
                           go_quote(canonical));
    } else if (!warned && strict->address.v6 && canonical != network) {
        warnings.push_back(path.text() + ": IPv6 CIDR value " + go_quote(network) +
                           " should be in RFC 5952 canonical format (" + go_quote(canonical) + ")");
    }
}

}  // namespace kubemu::api
