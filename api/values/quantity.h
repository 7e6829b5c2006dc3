// Quantities ("100m", "1Gi", "2e3") with the exactness and the canonical form of
// k8s.io/apimachinery/pkg/api/resource.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace kubemu::api {

// A decimal number: value = mantissa * 10^exponent, exact for everything people write; finer than a nano is rounded up.
class Quantity {
  public:
    enum class Format { decimal_si, binary_si, decimal_exponent };

    static std::optional<Quantity> parse(std::string_view text);
    static Quantity from_value(std::int64_t value, Format format = Format::decimal_si);
    static Quantity from_milli(std::int64_t milli, Format format = Format::decimal_si);

    std::int64_t value() const;  // rounded up
    std::int64_t milli_value() const;  // rounded up
    bool is_zero() const { return nano_ == 0; }
    bool is_negative() const { return nano_ < 0; }
    std::string text() const;  // canonical

    Quantity& operator+=(const Quantity& other);
    Quantity& operator-=(const Quantity& other);
    friend bool operator==(const Quantity& a, const Quantity& b) { return a.nano_ == b.nano_; }
    friend bool operator<(const Quantity& a, const Quantity& b) { return a.nano_ < b.nano_; }

    Quantity() = default;

  private:
    __extension__ using Nano = __int128;
    Nano nano_ = 0;  // units of 10^-9
    Format format_ = Format::decimal_si;
};

// Nothing when the text is no quantity.
std::optional<std::string> canonical_quantity(std::string_view text);
// True for a quantity that the server keeps as it was written ("1e0", "1500m"): what resource.ParseQuantity takes for
// canonical at a glance.
bool is_kept_as_written(std::string_view text);

}  // namespace kubemu::api
