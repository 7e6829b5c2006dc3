// Quantities: the canonical form keeps the value and comes to rest. Bytes that are no multiple of 1024 are written without a
// suffix, which is read as a decimal number: 14312.5Ki is 14656000, and that is 14656k, as in Go.
#include "api/values/quantity.h"
#include "tests/fuzz/fuzz.h"

using namespace kubemu::api;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const auto quantity = Quantity::parse(kubemu::fuzz::text_of(data, size));
    if (!quantity) return 0;
    const std::string written = quantity->text();
    const auto again = Quantity::parse(written);
    kubemu::fuzz::promise(again.has_value(), "what was written can be read", written);
    kubemu::fuzz::promise(*again == *quantity, "the value is kept", written);
    const std::string at_rest = again->text();
    const auto third = Quantity::parse(at_rest);
    kubemu::fuzz::promise(third && *third == *quantity && third->text() == at_rest, "the canonical form comes to rest", written + " " + at_rest);
    (void)quantity->value();
    (void)quantity->milli_value();
    return 0;
}
