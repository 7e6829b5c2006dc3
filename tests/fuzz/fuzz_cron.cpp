// Cron schedules: each activation is later than the one before, in any time zone.
#include "api/kinds/batch/cron_syntax.h"
#include "tests/fuzz/fuzz.h"

using namespace kubemu::api;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const auto schedule = CronSchedule::parse(kubemu::fuzz::text_of(data, size));
    if (!schedule) return 0;
    for (const char* name : {"", "Europe/Berlin", "America/St_Johns"}) {
        const auto zone = TimeZone::load(name);
        if (!zone) continue;
        kubemu::Time at{std::chrono::seconds(1'774'745'999)};  // the night before Europe's summer time of 2026
        for (int i = 0; i < 20; ++i) {
            const auto next = schedule->next(at, *zone);
            if (!next) break;
            kubemu::fuzz::promise(*next > at, "time moves on");
            at = *next;
        }
    }
    return 0;
}
