// Formats of strings in schemas.
#include "api/values/formats.h"

#include <doctest/doctest.h>

using kubemu::api::matches_format;

TEST_CASE("each format takes its own strings and refuses others") {
    struct Row {
        const char *format, *good, *bad;
    };
    const Row rows[] = {
        {"date", "2024-02-29", "2023-02-29"},
        {"date-time", "2024-01-01T00:00:00Z", "2024-01-01 00:00:00"},
        {"duration", "1h30m", "an hour"},
        {"email", "a@example.com", "example.com"},
        {"hostname", "a.example.com", "-a.example.com"},
        {"ipv4", "10.0.0.1", "10.0.0.256"},
        {"ipv6", "::1", "10.0.0.1"},
        {"cidr", "10.0.0.0/8", "10.0.0.0/40"},
        {"mac", "00:11:22:33:44:55", "00:11:22:33:44"},
        {"uri", "https://example.com/a?b=c", "example"},
        {"uuid", "123e4567-e89b-12d3-a456-426614174000", "123e4567"},
        {"uuid4", "123e4567-e89b-42d3-a456-426614174000", "123e4567-e89b-12d3-a456-426614174000"},
        {"isbn10", "0321751043", "0321751044"},
        {"isbn13", "978-0321751041", "978-0321751042"},
        {"creditcard", "4111-1111-1111-1111", "4111-1111-1111-1112"},
        {"ssn", "111-22-3333", "111-22-333"},
        {"hexcolor", "#fff", "#ffff"},
        {"rgbcolor", "rgb(255,0,10)", "rgb(256,0,10)"},
        {"byte", "aGVsbG8=", "aGVsbG8"},
        {"bsonobjectid", "507f1f77bcf86cd799439011", "507f1f77"},
        {"k8s-short-name", "a-b", "a.b"},
        {"k8s-long-name", "a.b", "a..b"},
    };
    for (const Row& row : rows) {
        CAPTURE(row.format);
        CHECK(matches_format(row.format, row.good));
        CHECK_FALSE(matches_format(row.format, row.bad));
    }
    CHECK(matches_format("password", ""));
    CHECK(matches_format("nobody-knows-it", "x"));
}
