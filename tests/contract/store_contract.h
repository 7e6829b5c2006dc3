// What every Store must do, as functions that take a fresh, empty one. Each is a short story of the contract
// in store.h.
#pragma once

#include <doctest/doctest.h>

#include <algorithm>

#include "tests/unit/storage/store_fixture.h"

namespace kubemu::storage::contract {

inline std::vector<RecordPtr> must(StoreResult<std::vector<RecordPtr>> result) {
    REQUIRE_MESSAGE(result.has_value(), to_string(result.error()));
    return *result;
}

inline RecordPtr write(Store& store, Draft draft) {
    std::vector<RecordPtr> records = must(store.submit(one(std::move(draft)), nullptr));
    REQUIRE(records.size() == 1);
    return records.front();
}

inline Error::Code refused(Store& store, Transaction transaction) {
    bool called = false;
    auto result = store.submit(std::move(transaction), [&called](const Error*) { called = true; });
    REQUIRE(!result);
    store.flush();
    CHECK(!called);
    return result.error().code;
}

inline std::string list(Store& store, std::string_view resource, std::string_view prefix = {}) {
    return text_of(store.list(resource, prefix).records);
}

inline std::string list_at(Store& store, const Store::PageQuery& query) {
    auto page = store.list_at(query);
    if (!page) return "error " + std::to_string(static_cast<int>(page.error().code));
    std::string text = text_of(page->records) + " of " + std::to_string(page->revision);
    if (page->more) text += ", " + std::to_string(page->remaining) + " more";
    return text;
}

inline void starts_empty(Store& store) {
    CHECK(store.current_revision() == 0);
    CHECK(store.compacted_revision() == 0);
    CHECK(store.list("pods", "").records.empty());
    CHECK(store.count("pods", "") == 0);
    CHECK(store.get("pods", "a/b") == nullptr);
    CHECK(list_at(store, {.resource = "pods"}) == " of 0");
    const auto cursor = store.watch("pods", "", 0, nullptr);
    REQUIRE(cursor.has_value());
    const auto batch = (*cursor)->next(10);
    CHECK(batch.state == WatchCursor::Batch::State::idle);
    CHECK(batch.position == 0);
}

inline void writes_get_revisions_and_bytes(Store& store) {
    const RecordPtr first = write(store, draft("pods", "default/web", Precondition::absent(), "one"));
    CHECK(first->revision == 1);
    CHECK(first->create_revision == 1);
    CHECK(first->previous_revision == 0);
    CHECK(*first->bytes.get() == expected_bytes(1, "one"));
    const RecordPtr second = write(store, draft("pods", "default/web", Precondition::at(1), "two"));
    CHECK(second->revision == 2);
    CHECK(second->create_revision == 1);
    CHECK(second->previous_revision == 1);
    Draft plain = draft("pods", "default/raw", Precondition::absent());
    plain.revision_at = std::string::npos;
    const std::string text = plain.text;
    CHECK(*write(store, std::move(plain))->bytes.get() == text);
    store.flush();
    CHECK(store.get("pods", "default/web") == second);  // the very record, not a copy
    CHECK(store.current_revision() == 3);
}

inline void preconditions_hold_against_the_tip(Store& store) {
    CHECK(refused(store, one(draft("pods", "a", Precondition::exists()))) == Error::Code::not_found);
    CHECK(refused(store, one(draft("pods", "a", Precondition::at(7)))) == Error::Code::not_found);
    write(store, draft("pods", "a", Precondition::absent()));
    // Whether the first write is durable yet makes no difference.
    CHECK(refused(store, one(draft("pods", "a", Precondition::absent()))) == Error::Code::already_exists);
    write(store, draft("pods", "a", Precondition::at(1)));
    CHECK(refused(store, one(draft("pods", "a", Precondition::at(1)))) == Error::Code::conflict);
    const auto conflict = store.submit(one(draft("pods", "a", Precondition::at(1))), nullptr);
    REQUIRE(!conflict);
    CHECK(conflict.error().revision == 2);
    CHECK(conflict.error().key == "a");
    write(store, draft("pods", "a", Precondition::exists()));
    CHECK(store.tip("pods", "a")->revision == 3);
    write(store, removal("pods", "a"));
    CHECK(store.tip("pods", "a") == nullptr);
    CHECK(refused(store, one(removal("pods", "a"))) == Error::Code::not_found);
    const RecordPtr again = write(store, draft("pods", "a", Precondition::absent()));
    CHECK(again->create_revision == 5);
    CHECK(again->previous_revision == 0);
    store.flush();
    CHECK(store.get("pods", "a") == again);
    // The same key of another resource is another object.
    CHECK(refused(store, one(draft("nodes", "a", Precondition::exists()))) == Error::Code::not_found);
}

inline void transactions_are_all_or_nothing(Store& store) {
    write(store, draft("pods", "taken", Precondition::absent()));
    Transaction broken;
    broken.drafts.push_back(draft("pods", "new", Precondition::absent()));
    broken.drafts.push_back(draft("pods", "taken", Precondition::at(1)));
    broken.drafts.push_back(draft("pods", "taken", Precondition::absent()));
    CHECK(refused(store, std::move(broken)) == Error::Code::already_exists);
    CHECK(store.tip("pods", "new") == nullptr);
    CHECK(store.tip("pods", "taken")->revision == 1);

    // Each draft sees the ones before it, and gets its own revision.
    Transaction whole;
    whole.drafts.push_back(draft("pods", "new", Precondition::absent(), "1"));
    whole.drafts.push_back(draft("pods", "new", Precondition::at(2), "2"));
    whole.drafts.push_back(draft("nodes", "n", Precondition::absent()));
    whole.drafts.push_back(removal("pods", "taken"));
    const auto records = must(store.submit(std::move(whole), nullptr));
    CHECK(text_of(records) == "new@2, new@3, n@4, taken@5");
    CHECK(records[1]->previous_revision == 2);
    store.flush();
    CHECK(list(store, "pods") == "new@3");
    CHECK(list(store, "nodes") == "n@4");
    CHECK(store.current_revision() == 5);
}

inline void completions_come_after_publication_in_order(Store& store) {
    Mutex mutex;
    std::vector<int> order;
    for (int i = 0; i < 300; ++i) {
        must(store.submit(one(draft("pods", "p" + std::to_string(i), Precondition::absent())),
                          [&mutex, &order, i](const Error* failure) {
                              CHECK(failure == nullptr);
                              Lock lock(mutex);
                              order.push_back(i);
                          }));
    }
    must(store.submit(Transaction{}, [&](const Error*) {
        Lock lock(mutex);
        order.push_back(300);
    }));
    store.flush();
    Lock lock(mutex);
    REQUIRE(order.size() == 301);
    CHECK(std::is_sorted(order.begin(), order.end()));
    CHECK(store.current_revision() == 300);
}

inline void lists_are_ordered_and_cut_by_prefix(Store& store) {
    for (const char* key : {"b/1", "a/2", "a/10", "ab", "a/1", "b"})
        write(store, draft("pods", key, Precondition::absent()));
    write(store, draft("nodes", "a/1", Precondition::absent()));
    store.flush();
    CHECK(list(store, "pods") == "a/1@5, a/10@3, a/2@2, ab@4, b@6, b/1@1");
    CHECK(list(store, "pods", "a/") == "a/1@5, a/10@3, a/2@2");
    CHECK(list(store, "pods", "c").empty());
    CHECK(store.count("pods", "a/") == 3);
    CHECK(store.count("pods", "") == 6);
    CHECK(store.list("pods", "").revision == 7);
    CHECK(list_at(store, {.resource = "pods", .prefix = "a/", .limit = 2}) == "a/1@5, a/10@3 of 7, 1 more");
    CHECK(list_at(store, {.resource = "pods", .prefix = "a/", .after = "a/10", .limit = 2}) == "a/2@2 of 7");
    CHECK(list_at(store, {.resource = "pods", .after = "ab"}) == "b@6, b/1@1 of 7");
}

// The history is: a@1 b@2 c@3, a changed @4, b deleted @5, d made @6, b made again @7.
inline void old_revisions_can_be_read(Store& store, bool long_ago) {
    for (const char* key : {"a", "b", "c"}) write(store, draft("pods", key, Precondition::absent(), key));
    write(store, draft("pods", "a", Precondition::at(1), "changed"));
    write(store, removal("pods", "b"));
    write(store, draft("pods", "d", Precondition::absent()));
    write(store, draft("pods", "b", Precondition::absent()));
    // So much that the event log has forgotten the beginning: the database answers.
    for (int i = 0; long_ago && i < 1100; ++i)
        write(store, draft("pods", "z", i == 0 ? Precondition::absent() : Precondition::exists()));
    store.flush();
    const auto at = [&store](Revision revision) {
        return list_at(store, {.resource = "pods", .revision = revision});
    };
    CHECK(at(1) == "a@1 of 1");
    CHECK(at(3) == "a@1, b@2, c@3 of 3");
    CHECK(at(4) == "a@4, b@2, c@3 of 4");
    CHECK(at(5) == "a@4, c@3 of 5");
    CHECK(at(6) == "a@4, c@3, d@6 of 6");
    CHECK(at(7) == "a@4, b@7, c@3, d@6 of 7");
    CHECK(list_at(store, {.resource = "pods", .revision = 4, .limit = 1}) == "a@4 of 4, 2 more");
    CHECK(list_at(store, {.resource = "pods", .revision = 4, .after = "a", .limit = 1}) ==
          "b@2 of 4, 1 more");
    CHECK(list_at(store, {.resource = "pods", .revision = 4, .after = "b", .limit = 1}) == "c@3 of 4");
    CHECK(list_at(store, {.resource = "pods", .prefix = "b", .revision = 4}) == "b@2 of 4");
    CHECK(list_at(store, {.resource = "pods", .prefix = "b", .revision = 5}) == " of 5");

    CHECK(*(*store.get_at("pods", "a", 3))->bytes.get() == expected_bytes(1, "a"));
    CHECK(*(*store.get_at("pods", "a", 4))->bytes.get() == expected_bytes(4, "changed"));
    CHECK(store.get_at("pods", "b", 5).error().code == Error::Code::not_found);
    CHECK((*store.get_at("pods", "b", 7))->create_revision == 7);
    const Revision future = store.current_revision() + 1;
    CHECK(store.get_at("pods", "a", future).error().code == Error::Code::future_revision);
    CHECK(store.list_at({.resource = "pods", .revision = future}).error().code ==
          Error::Code::future_revision);
    CHECK(store.watch("pods", "", future, nullptr).error().code == Error::Code::future_revision);
}

inline void compaction_forgets_only_what_was_replaced(Store& store) {
    old_revisions_can_be_read(store, true);
    CHECK(store.compact(5).value() == 5);
    CHECK(store.compacted_revision() == 5);
    CHECK(store.list_at({.resource = "pods", .revision = 4}).error().code == Error::Code::compacted);
    CHECK(store.list_at({.resource = "pods", .revision = 4}).error().revision == 5);
    CHECK(store.get_at("pods", "b", 4).error().code == Error::Code::compacted);
    CHECK(store.watch("pods", "", 4, nullptr).error().code == Error::Code::compacted);
    CHECK(list_at(store, {.resource = "pods", .revision = 5}) == "a@4, c@3 of 5");
    CHECK(list_at(store, {.resource = "pods", .revision = 6}) == "a@4, c@3, d@6 of 6");
    CHECK(list(store, "pods") == "a@4, b@7, c@3, d@6, z@1107");
    auto cursor = store.watch("pods", "", 5, nullptr);
    REQUIRE(cursor.has_value());
    const std::vector<Event> events = drain(**cursor);
    REQUIRE(events.size() == 1102);
    CHECK(text_of(events[0]) == "+d@6");
    CHECK(text_of(events[1]) == "+b@7");
    CHECK(store.compact(3).value() == 5);
    CHECK(store.compact(2000).error().code == Error::Code::future_revision);
    CHECK(store.compact(store.current_revision()).value() == 1107);
    CHECK(list_at(store, {.resource = "pods", .revision = 1107}) == "a@4, b@7, c@3, d@6, z@1107 of 1107");
}

inline void watches_begin_anywhere(Store& store, bool long_ago) {
    write(store, draft("pods", "a", Precondition::absent()));
    write(store, draft("nodes", "n", Precondition::absent()));
    write(store, draft("pods", "b/1", Precondition::absent()));
    write(store, draft("pods", "a", Precondition::at(1)));
    write(store, removal("pods", "a"));
    write(store, draft("pods", "a", Precondition::absent()));
    for (int i = 0; long_ago && i < 1100; ++i)
        write(store, draft("pods", "z", i == 0 ? Precondition::absent() : Precondition::exists()));
    store.flush();
    const std::vector<std::string> all = {"+a@1", "+b/1@3", "a@1>4", "-a@4>5", "+a@6"};
    const std::vector<Revision> revisions = {1, 3, 4, 5, 6};
    for (Revision after = 0; after <= 6; ++after) {
        for (const std::size_t events_max : {1, 2, 64}) {
            auto cursor = store.watch("pods", "", after, nullptr);
            REQUIRE(cursor.has_value());
            WatchCursor::Batch last;
            const std::vector<Event> events = drain(**cursor, last, events_max);
            std::vector<std::string> expected;
            for (std::size_t i = 0; i < all.size(); ++i) {
                if (revisions[i] > after) expected.push_back(all[i]);
            }
            REQUIRE(events.size() == expected.size() + (long_ago ? 1100 : 0));
            for (std::size_t i = 0; i < expected.size(); ++i) CHECK(text_of(events[i]) == expected[i]);
            CHECK(last.state == WatchCursor::Batch::State::idle);
            CHECK(last.position == store.current_revision());
        }
    }
    auto cursor = store.watch("pods", "b/", 0, nullptr);
    REQUIRE(cursor.has_value());
    CHECK(text_of(drain(**cursor)) == "+b/1@3");
}

inline void idle_cursors_wake_once_and_only_for_their_resource(Store& store) {
    Signals pods;
    Signals nodes;
    auto pod_cursor = store.watch("pods", "", 0, [&pods] { pods.give(); });
    auto node_cursor = store.watch("nodes", "", 0, [&nodes] { nodes.give(); });
    CHECK(drain(**pod_cursor).empty());
    CHECK(drain(**node_cursor).empty());
    write(store, draft("pods", "a", Precondition::absent()));
    write(store, draft("pods", "b", Precondition::absent()));
    store.flush();
    CHECK(pods.count() == 1);
    CHECK(nodes.count() == 0);
    CHECK(text_of(drain(**pod_cursor)) == "+a@1, +b@2");
    // A bookmark at the head is the store's revision, although nothing happened here.
    CHECK((*node_cursor)->next(1).position == 2);
    write(store, draft("pods", "c", Precondition::absent()));
    store.flush();
    CHECK(pods.count() == 2);
    pod_cursor->reset();
    write(store, draft("pods", "d", Precondition::absent()));
    store.flush();
    CHECK(pods.count() == 2);
    CHECK(nodes.count() == 0);
    CHECK(store.announced_revision() == store.current_revision());
}

// Objects that look alike, more of them than stay plain in memory and than the logs reach back.
inline void cold_texts_are_what_was_written(Store& store) {
    constexpr int objects = 1400;
    const std::string body(900, 'x');
    const auto text_of_object = [&body](int i) { return body + std::to_string(i * 7919) + body + std::to_string(i); };
    const auto key_of = [](int i) { return "p/" + std::to_string(10'000 + i); };
    auto early = store.watch("pods", "", 0, nullptr);
    for (int i = 0; i < objects; ++i) write(store, draft("pods", key_of(i), Precondition::absent(), text_of_object(i)));
    store.flush();
    std::size_t packed = 0;
    const Snapshot snapshot = store.list("pods", "");
    REQUIRE(snapshot.records.size() == objects);
    for (int i = 0; i < objects; ++i) {
        const Record& record = *snapshot.records[static_cast<std::size_t>(i)];
        packed += record.bytes.packed() ? 1 : 0;
        REQUIRE(*record.bytes.get() == expected_bytes(i + 1, text_of_object(i)));
    }
    CHECK(packed > objects / 2);
    CHECK(packed < objects);  // the newest are for those who watch
    const auto check_events = [&](WatchCursor& cursor, int from) {
        const std::vector<Event> events = drain(cursor);
        REQUIRE(events.size() == static_cast<std::size_t>(objects - from));
        for (const Event& event : events) {
            REQUIRE(*event.record->bytes.get() == expected_bytes(event.record->revision, text_of_object(from)));
            ++from;
        }
    };
    check_events(**early, 0);
    for (const int from : {0, 1, objects - 1000, objects - 300, objects - 10}) check_events(**store.watch("pods", "", from, nullptr), from);
    // Written again and deleted, a packed version is what came before.
    write(store, draft("pods", key_of(0), Precondition::at(1), "new"));
    write(store, removal("pods", key_of(1)));
    store.flush();
    const std::vector<Event> events = drain(**store.watch("pods", "", objects, nullptr));
    REQUIRE(events.size() == 2);
    CHECK(*events[0].previous->bytes.get() == expected_bytes(1, text_of_object(0)));
    CHECK(*events[1].previous->bytes.get() == expected_bytes(2, text_of_object(1)));
    CHECK(*(*store.get_at("pods", key_of(0), 5))->bytes.get() == expected_bytes(1, text_of_object(0)));
}

inline void a_watch_that_falls_behind_compaction_expires(Store& store) {
    write(store, draft("pods", "a", Precondition::absent()));
    store.flush();
    auto slow = store.watch("pods", "", 0, nullptr);
    auto quiet = store.watch("nodes", "", 0, nullptr);
    for (int i = 0; i < 1100; ++i) write(store, draft("pods", "a", Precondition::exists()));
    store.flush();
    REQUIRE(store.compact(50).has_value());
    CHECK((*slow)->next(10).state == WatchCursor::Batch::State::expired);
    CHECK((*slow)->next(10).state == WatchCursor::Batch::State::expired);
    // Nothing was lost for a resource that did not change.
    CHECK((*quiet)->next(10).state == WatchCursor::Batch::State::idle);
}

inline void named_values_are_kept(Store& store) {
    CHECK(!store.meta("cluster").has_value());
    CHECK(store.set_meta("cluster", "one").has_value());
    CHECK(store.set_meta("cluster", "two").has_value());
    CHECK(store.meta("cluster") == "two");
    CHECK(store.current_revision() == 0);
}

}  // namespace kubemu::storage::contract
