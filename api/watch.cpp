// Watches: a cursor turned into watch events, without copying what everybody shares.
#include <algorithm>
#include <atomic>
#include <nlohmann/json.hpp>
#include <optional>

#include "api/conversion_webhook.h"
#include "api/codec/json.h"
#include "api/codec/protobuf.h"
#include "api/draft.h"
#include "api/encode_answer.h"
#include "api/exchange.h"
#include "api/forms.h"
#include "api/kinds/views.h"
#include "api/values/field_errors.h"
#include "api/warnings.h"
#include "storage/base/limits.h"
#include "storage/base/mutex.h"

namespace kubemu::api {
namespace {

class WatchStream final : public Stream {
  public:
    struct Options {
        ExchangePtr exchange;
        Selection selection;
        std::vector<storage::RecordPtr> initial;  // shown as ADDED first
        storage::Revision revision = 0;           // of the initial state
        bool bookmarks = false;
        // Changes up to here are of no interest: the client has asked for what comes after a revision of the future.
        storage::Revision quiet_until = 0;
        Time deadline{};
    };

    explicit WatchStream(Options options)
        : options_(std::move(options)), next_bookmark_(now() + limits::bookmark_interval), wake_(std::make_shared<Wake>()) {}

    // A revision that is gone is told by the stream itself.
    void open(storage::Revision after) {
        const Exchange& exchange = *options_.exchange;
        position_ = after;
        auto cursor = exchange.registry.store().watch(exchange.kind->resource, key_prefix(exchange), after, [wake = wake_] { wake->call(); });
        if (cursor) cursor_ = std::move(*cursor);
    }

    Scatter cut_off() override {
        Step step;
        expire(step);
        return std::move(step.data);
    }

    void on_wake(std::function<void()> wake) override { wake_->set(std::move(wake)); }

    Step next() override {
        Step step;
        if (!options_.initial.empty() || initial_pending_) {
            show_initial(step);
            step.state = Step::State::more;
            return step;
        }
        const Time time = now();
        if (time >= options_.deadline) {
            if (options_.bookmarks && position_ > 0) bookmark(step, position_, false);
            step.state = Step::State::end;
            return step;
        }
        using State = storage::WatchCursor::Batch::State;
        storage::WatchCursor::Batch batch;
        batch.state = State::expired;
        if (held_) {
            batch = std::move(*held_);
            held_.reset();
        } else if (cursor_) {
            batch = cursor_->next(limits::watch_batch_events_max);
        }
        if (!batch.events.empty() && !shows_now(step, batch)) return step;
        if (batch.state == State::expired) {
            expire(step);
            step.state = Step::State::end;
            return step;
        }
        for (const storage::Event& event : batch.events) show(step, event);
        position_ = batch.position;
        if (batch.state == State::more) {
            step.state = Step::State::more;
            return step;
        }
        if (options_.bookmarks && time >= next_bookmark_) {
            bookmark(step, position_, false);
            next_bookmark_ = time + limits::bookmark_interval;
        }
        step.state = Step::State::wait;
        step.wake_at = options_.bookmarks ? std::min(options_.deadline, next_bookmark_) : options_.deadline;
        return step;
    }

    void expect_initial_end() { initial_pending_ = true; }

  private:
    // The cursor may wake before the server has said how; nothing is lost, since the first next() comes anyway.
    struct Wake {
        Mutex mutex;
        std::function<void()> function KUBEMU_GUARDED_BY(mutex);
        void set(std::function<void()> wanted) {
            Lock lock(mutex);
            function = std::move(wanted);
        }
        void call() {
            Lock lock(mutex);
            if (function) function();
        }
    };

    // Whether the events can be shown in the version that is watched; else `step` says what to do: to wait for a webhook's
    // answer, which wakes the stream, or to end with its failure.
    bool shows_now(Step& step, storage::WatchCursor::Batch& batch) {
        const Exchange& exchange = *options_.exchange;
        if (exchange.kind->storage_version || exchange.kind->custom == nullptr || exchange.form.as == AnswerForm::As::partial) return true;
        step.state = Step::State::wait;
        step.wake_at = options_.deadline;
        if (calls_ != nullptr && !*answered_) {
            held_ = std::move(batch);
            return false;
        }
        if (calls_ == nullptr) calls_ = std::make_shared<RemoteCalls>();
        std::vector<storage::RecordPtr> records;
        for (const storage::Event& event : batch.events) {
            records.push_back(event.record);
            if (event.previous != nullptr) records.push_back(event.previous);
        }
        calls_->begin();
        const auto ready = make_readable(exchange.registry, *exchange.kind, records, *calls_);
        if (ready) {
            calls_.reset();
            return true;
        }
        if (!calls_->waiting() || exchange.remote == nullptr) {
            std::string text = ready.error().to_json();
            if (text.back() == '\n') text.pop_back();
            write_event(step, "ERROR", Slice::of(std::move(text)));
            step.state = Step::State::end;
            return false;
        }
        held_ = std::move(batch);
        answered_ = std::make_shared<std::atomic<bool>>(false);
        calls_->start(*exchange.remote, [calls = calls_, answered = answered_, wake = wake_] {
            answered->store(true);
            wake->call();
        });
        return false;
    }

    Time now() const { return options_.exchange->connection_clock->now(); }

    void show_initial(Step& step) {
        std::size_t shown = 0;
        for (; shown_ < options_.initial.size() && shown < limits::watch_batch_events_max; ++shown, ++shown_) {
            emit(step, "ADDED", *options_.initial[shown_], false);
        }
        if (shown_ < options_.initial.size()) return;
        options_.initial.clear();
        if (initial_pending_) bookmark(step, options_.revision, true);
        initial_pending_ = false;
    }

    void show(Step& step, const storage::Event& event) {
        const storage::Record& record = *event.record;
        if (record.revision <= options_.quiet_until) return;
        const bool before = event.previous && options_.selection.matches(*event.previous);
        if (record.deleted) {
            const bool last_state = options_.selection.everything() || before || options_.selection.matches(record);
            if (last_state) emit(step, "DELETED", record);
            return;
        }
        const bool after = options_.selection.everything() || options_.selection.matches(record);
        if (after) {
            const bool had = options_.selection.everything() ? event.previous != nullptr : before;
            emit(step, had ? "MODIFIED" : "ADDED", record);
        } else if (before) {
            emit_left(step, *event.previous, record);
        }
    }

    void expire(Step& step) const {
        const storage::Store& store = options_.exchange->registry.store();
        const Status gone = Status::expired("too old resource version: " + std::to_string(position_) + " (" +
                                            std::to_string(std::max(store.compacted_revision(), position_)) + ")");
        std::string text = gone.to_json();
        if (text.back() == '\n') text.pop_back();
        if (protobuf()) text = encode_protobuf(text, status_type());
        write_event(step, "ERROR", Slice::of(std::move(text)));
    }

    bool protobuf() const { return options_.exchange->form.encoding == Encoding::protobuf; }
    bool is_table() const { return options_.exchange->form.as == AnswerForm::As::table; }
    // Events are no lists: when metadata was asked for as one, they stay what they are.
    bool is_partial() const { return options_.exchange->form.as == AnswerForm::As::partial; }

    // One event, its object shared with every other watch that shows it so.
    void write_event(Step& step, std::string_view type, Slice object) const {
        if (protobuf()) {
            step.data.push_back(Slice::of(protobuf_event_head(type, object.text.size())));
            step.data.push_back(std::move(object));
            return;
        }
        step.data.push_back(type == "ADDED"      ? Slice::literal("{\"type\":\"ADDED\",\"object\":")
                            : type == "MODIFIED" ? Slice::literal("{\"type\":\"MODIFIED\",\"object\":")
                            : type == "DELETED"  ? Slice::literal("{\"type\":\"DELETED\",\"object\":")
                            : type == "BOOKMARK" ? Slice::literal("{\"type\":\"BOOKMARK\",\"object\":")
                                                 : Slice::literal("{\"type\":\"ERROR\",\"object\":"));
        step.data.push_back(std::move(object));
        step.data.push_back(Slice::literal("}\n"));
    }

    void emit(Step& step, std::string_view type, const storage::Record& record, bool shared = true) {
        write_event(step, type,
                    is_table() ? table_event(record)
                               : form_of_record(*options_.exchange, record, {.partial = is_partial(), .keep = shared}));
    }

    // An object that left the selection is deleted at the revision at which it left, in the last state that matched.
    void emit_left(Step& step, const storage::Record& last, const storage::Record& left) {
        write_event(step, "DELETED",
                    is_table() ? table_event(at_revision(last, left.revision))
                               : form_of_left(*options_.exchange, last, left, is_partial()));
    }

    Slice table_event(const storage::Record& record) {
        std::string text = table_of_record(*options_.exchange, record, !columns_sent_);
        columns_sent_ = true;
        text.pop_back();
        return Slice::of(std::move(text));
    }

    void bookmark(Step& step, storage::Revision revision, bool initial_end) {
        const Exchange& exchange = *options_.exchange;
        // A record that never was: nothing but the revision.
        Json object = {{"metadata", Json::object()}};
        if (initial_end) object["metadata"]["annotations"] = {{"k8s.io/initial-events-end", "true"}};
        const bool whole = !is_table() && !is_partial();
        const KindSpec& shown = whole ? *exchange.kind : exchange.registry.kinds().stored(exchange.kind->resource);
        Encoded encoded = encode_object(object, *shown.type, api_version_of(shown), shown.kind);
        encoded.text.insert(encoded.revision_at, std::to_string(revision));
        if (whole) {
            if (protobuf()) encoded.text = encode_protobuf(encoded.text, *shown.type);
            return write_event(step, "BOOKMARK", Slice::of(std::move(encoded.text)));
        }
        storage::Record record;
        record.revision = revision;
        record.bytes = make_bytes(std::move(encoded.text));
        write_event(step, "BOOKMARK",
                    is_table() ? table_event(record) : form_of_record(exchange, record, {.partial = true}));
    }

    Options options_;
    Time next_bookmark_;
    std::shared_ptr<Wake> wake_;
    std::unique_ptr<storage::WatchCursor> cursor_;
    // Events that wait for a webhook to convert them.
    std::optional<storage::WatchCursor::Batch> held_;
    std::shared_ptr<RemoteCalls> calls_;
    std::shared_ptr<std::atomic<bool>> answered_;
    storage::Revision position_ = 0;
    std::size_t shown_ = 0;  // of the initial state
    bool initial_pending_ = false;
    bool columns_sent_ = false;
};

// metainternalversion/validation.validateWatchOptions
ApiResult<bool> check_options(const Exchange& exchange) {
    const RequestInfo& info = exchange.info;
    const std::string_view match = info.parameter("resourceVersionMatch");
    const FieldPath path("resourceVersionMatch");
    FieldErrors errors;
    const bool initial = info.has("sendInitialEvents");
    // Without a revision the state comes first, by default as for sendInitialEvents.
    const bool from_state = info.parameter("resourceVersion").empty() || info.parameter("resourceVersion") == "0";
    if (!initial && match.empty() && from_state && !info.parameter("continue").empty()) {
        errors.forbidden(path, "resourceVersionMatch is forbidden when continue is provided");
    }
    if (initial && match != "NotOlderThan") {
        errors.forbidden(path, "sendInitialEvents requires setting resourceVersionMatch to NotOlderThan");
    }
    if (!match.empty()) {
        if (!initial) errors.forbidden(path, "resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided");
        if (match != "NotOlderThan") errors.not_supported(path, match, {"NotOlderThan"});
        if (!info.parameter("continue").empty()) {
            errors.forbidden(path, "resourceVersionMatch is forbidden when continue is provided");
        }
    }
    if (!errors.empty()) return Status::invalid("meta.k8s.io", "ListOptions", "", errors);
    if (exchange.form.encoding == Encoding::yaml) {
        return Status::not_acceptable("only the following media types are accepted: application/json;stream=watch, "
                                      "application/vnd.kubernetes.protobuf;stream=watch");
    }
    return true;
}

// The objects there are, as the events that come first.
void begin_with_state(WatchStream::Options& options) {
    const Exchange& exchange = *options.exchange;
    storage::Snapshot snapshot = exchange.registry.store().list(exchange.kind->resource, key_prefix(exchange));
    options.revision = snapshot.revision;
    if (options.selection.everything()) {
        options.initial = std::move(snapshot.records);
        return;
    }
    for (storage::RecordPtr& record : snapshot.records) {
        if (options.selection.matches(*record)) options.initial.push_back(std::move(record));
    }
}

}  // namespace

ApiResult<bool> handle_watch(const ExchangePtr& exchange) {
    const RequestInfo& info = exchange->info;
    Registry& registry = exchange->registry;
    TRY_ASSIGN(Selection selection, selection_of(*exchange));
    TRY(check_options(*exchange));
    TRY_ASSIGN(const std::int64_t timeout, number_parameter(*exchange, "timeoutSeconds", 0));
    TRY_ASSIGN(const storage::Revision asked, revision_parameter(*exchange));

    WatchStream::Options options;
    options.exchange = exchange;
    options.selection = std::move(selection);
    // With less than no time the watch is over before it shows anything.
    const bool over = timeout < 0;
    options.bookmarks = info.flag("allowWatchBookmarks") && !over;
    const Duration minimum = limits::watch_timeout_min;
    const Duration spread = Duration(static_cast<Duration::rep>(registry.random().below("watch-timeout", 1800)) * 1'000'000);
    options.deadline = exchange->connection_clock->now() + (timeout != 0 ? Duration(std::chrono::seconds(timeout)) : minimum + spread);
    const storage::Revision current = registry.store().current_revision();
    // Without a revision the present state comes first, unless that was declined.
    const bool send_initial = info.has("sendInitialEvents") ? info.flag("sendInitialEvents") : asked == 0;
    storage::Revision after = asked > 0 && asked <= current ? asked : current;
    if (send_initial) {
        if (asked > current) return Status::too_large_resource_version(asked, current);
        begin_with_state(options);
        if (exchange->form.as != AnswerForm::As::partial) TRY(make_readable(registry, *exchange->kind, options.initial, exchange->calls));
        after = options.revision;
        if (over) options.initial.clear();
    } else {
        options.quiet_until = asked;
    }
    const bool initial_end = send_initial && options.bookmarks;
    auto stream = std::make_unique<WatchStream>(std::move(options));
    if (initial_end) stream->expect_initial_end();
    stream->open(after);
    Response response;
    if (exchange->form.encoding == Encoding::protobuf) response.content_type = protobuf_watch_type;
    response.stream = std::move(stream);
    response.headers = warning_headers(exchange->warnings);
    Respond respond = std::move(exchange->respond);
    exchange->respond = nullptr;
    respond(std::move(response));
    return true;
}

}  // namespace kubemu::api
