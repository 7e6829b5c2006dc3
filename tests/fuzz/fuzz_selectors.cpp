// Label and field selectors: the text of a selector means the same selector.
#include "api/selector/field.h"
#include "api/selector/label.h"
#include "tests/fuzz/fuzz.h"

using namespace kubemu::api;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view text = kubemu::fuzz::text_of(data, size);
    (void)parse_field_selector(text);
    const auto selector = LabelSelector::parse(text);
    if (!selector) return 0;
    const std::string written = selector->text();
    const auto again = LabelSelector::parse(written);
    kubemu::fuzz::promise(again.has_value(), "what was written can be read", written);
    kubemu::fuzz::promise(again->text() == written, "a selector is written as it was read", written);
    static const LabelSpan spans[] = {{}, {{"app", "web"}}, {{"app", "web"}, {"n", "5"}, {"tier", ""}}};
    for (const LabelSpan& labels : spans) {
        kubemu::fuzz::promise(selector->matches(labels) == again->matches(labels), "both select the same", written);
    }
    return 0;
}
