// Quantities: the canonical form is a fixed point and keeps the value.
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
    kubemu::fuzz::promise(again->text() == written, "the canonical form is a fixed point", written + " " + again->text());
    (void)quantity->value();
    (void)quantity->milli_value();
    return 0;
}
