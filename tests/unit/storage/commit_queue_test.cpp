// Acceptance: the tip, refusals that leave no trace, and the limits of a batch.
#include "storage/commit_queue.h"

#include <doctest/doctest.h>

#include "storage/base/limits.h"
#include "tests/unit/storage/store_fixture.h"

namespace kubemu::storage {
namespace {

TEST_CASE("the tip is what waits, or else what is published") {
    KeyIndexes published;
    published.of("pods").put(make_record("pods", "old", 5));
    CommitQueue queue(published, 5);
    CHECK(queue.tip("pods", "old")->revision == 5);
    const auto records = queue.accept(one(draft("pods", "old", Precondition::at(5))), nullptr);
    REQUIRE(records.has_value());
    CHECK(queue.tip("pods", "old") == records->front());
    REQUIRE(queue.accept(one(draft("pods", "old", Precondition::at(6))), nullptr).has_value());
    // The first of two publications does not hide the second write.
    queue.settle(records->front());
    CHECK(queue.tip("pods", "old")->revision == 7);
    REQUIRE(queue.accept(one(removal("pods", "old")), nullptr).has_value());
    CHECK(queue.tip("pods", "old") == nullptr);
}

TEST_CASE("a refused transaction leaves tips and revisions as they were") {
    KeyIndexes published;
    CommitQueue queue(published, 0);
    REQUIRE(queue.accept(one(draft("pods", "a", Precondition::absent())), nullptr).has_value());
    Transaction broken;
    broken.drafts.push_back(draft("pods", "a", Precondition::at(1)));
    broken.drafts.push_back(draft("pods", "b", Precondition::absent()));
    broken.drafts.push_back(draft("pods", "b", Precondition::at(3)));
    broken.drafts.push_back(draft("pods", "c", Precondition::exists()));
    CHECK(queue.accept(std::move(broken), nullptr).error().code == Error::Code::not_found);
    CHECK(queue.tip("pods", "a")->revision == 1);
    CHECK(queue.tip("pods", "b") == nullptr);
    CHECK(queue.accept(one(draft("pods", "b", Precondition::absent())), nullptr)->front()->revision == 2);
}

TEST_CASE("batches keep to their limits") {
    KeyIndexes published;
    CommitQueue queue(published, 0);
    for (int i = 0; i < 300; ++i) {
        REQUIRE(
            queue.accept(one(draft("pods", std::to_string(i), Precondition::absent())), nullptr).has_value());
    }
    CHECK(queue.take_batch().size() == limits::commit_batch_transactions_max);
    CHECK(queue.take_batch().size() == 300 - limits::commit_batch_transactions_max);
    CHECK(queue.empty());
    for (int i = 0; i < 3; ++i) {
        REQUIRE(queue
                    .accept(one(draft("big", std::to_string(i), Precondition::absent(),
                                      std::string(600'000, 'x'))),
                            nullptr)
                    .has_value());
    }
    CHECK(queue.take_batch().size() == 1);
    CHECK(queue.take_batch().size() == 1);
}

TEST_CASE("room for the digits is made before, and a place outside of the text is a bug") {
    Transaction transaction = one(draft("pods", "a", Precondition::absent(), "text"));
    make_room_for_revisions(transaction);
    CHECK(transaction.drafts[0].text.capacity() >= transaction.drafts[0].text.size() + 19);
    transaction.drafts[0].revision_at = 1000;
    CHECK_THROWS_AS(make_room_for_revisions(transaction), std::out_of_range);
}

}  // namespace
}  // namespace kubemu::storage
