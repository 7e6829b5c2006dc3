// Which quantities the server stores as they were written, and which in another form.
#include <doctest/doctest.h>

#include "api/values/quantity.h"

using namespace kubemu::api;

TEST_CASE("quantities that look canonical are kept as written, others are not") {
    for (const char* kept : {"0", "1", "100m", "1500m", "1e0", "1e3", "12Mi", "1.500", "5k", "+5"}) {
        CAPTURE(kept);
        CHECK(canonical_quantity(kept) == kept);
    }
    struct Case {
        const char* written;
        const char* stored;
    };
    for (const Case& c : {Case{"1000m", "1"}, Case{"3000m", "3"}, Case{".1", "100m"}, Case{"1024Ki", "1Mi"}, Case{"1.5Gi", "1536Mi"},
                          Case{"2048Mi", "2Gi"}, Case{"0.5", "500m"}, Case{"2000", "2k"}, Case{"1e2", "100"}}) {
        CAPTURE(c.written);
        CHECK(canonical_quantity(c.written) == c.stored);
    }
}
