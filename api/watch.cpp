// Watches: a cursor turned into watch events, without copying what everybody shares.
#include <nlohmann/json.hpp>

#include "api/codec/json.h"
#include "api/documents/table.h"
#include "api/draft.h"
#include "api/exchange.h"
#include "api/kinds/views.h"
#include "storage/base/limits.h"
#include "storage/base/mutex.h"

namespace kubemu::api {
namespace {

// A record's bytes with another revision shown: an object that left the selection is deleted at the revision at which it
// left, in the last state that matched.
std::string with_revision(const storage::Record& record, storage::Revision revision) {
    std::string text = *record.bytes;
    const std::string old = "\"resourceVersion\":\"" + std::to_string(record.revision) + "\"";
    const std::size_t at = text.find(old);
    if (at != std::string::npos) text.replace(at, old.size(), "\"resourceVersion\":\"" + std::to_string(revision) + "\"");
    return text;
}

class WatchStream final : public Stream {
  public:
    struct Options {
        ExchangePtr exchange;
        Selection selection;
        std::vector<storage::RecordPtr> initial;  // shown as ADDED first
        storage::Revision revision = 0;           // of the initial state
        bool initial_events_end = false;          // a bookmark marks its end
        bool bookmarks = false;
        Time deadline{};
    };

    explicit WatchStream(Options options)
        : options_(std::move(options)), next_bookmark_(now() + limits::bookmark_interval), wake_(std::make_shared<Wake>()) {}

    ApiResult<bool> open(storage::Revision after) {
        const Exchange& exchange = *options_.exchange;
        auto cursor = exchange.registry.store().watch(exchange.kind->resource, key_prefix(exchange), after, [wake = wake_] { wake->call(); });
        if (!cursor) {
            if (cursor.error().code == storage::Error::Code::compacted) {
                return Status::expired("too old resource version: " + std::to_string(after) + " (" + std::to_string(cursor.error().revision) + ")");
            }
            return Status::too_large_resource_version(after, exchange.registry.store().current_revision());
        }
        cursor_ = std::move(*cursor);
        return true;
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
        storage::WatchCursor::Batch batch = cursor_->next(limits::watch_batch_events_max);
        if (batch.state == storage::WatchCursor::Batch::State::expired) {
            const Status gone = Status::expired("too old resource version: " + std::to_string(position_) + " (" +
                                                std::to_string(options_.exchange->registry.store().compacted_revision()) + ")");
            std::string text = gone.to_json();
            while (!text.empty() && text.back() == '\n') text.pop_back();
            step.data.push_back(Slice::of("{\"type\":\"ERROR\",\"object\":" + text + "}\n"));
            step.state = Step::State::end;
            return step;
        }
        for (const storage::Event& event : batch.events) show(step, event);
        position_ = batch.position;
        if (batch.state == storage::WatchCursor::Batch::State::more) {
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

    Time now() const { return options_.exchange->registry.clock().now(); }

    void show_initial(Step& step) {
        std::size_t shown = 0;
        for (; shown < options_.initial.size() && shown < limits::watch_batch_events_max; ++shown) {
            emit(step, "ADDED", *options_.initial[shown]);
        }
        options_.initial.erase(options_.initial.begin(), options_.initial.begin() + static_cast<std::ptrdiff_t>(shown));
        if (!options_.initial.empty()) return;
        if (initial_pending_) bookmark(step, options_.revision, true);
        initial_pending_ = false;
    }

    void show(Step& step, const storage::Event& event) {
        const storage::Record& record = *event.record;
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
            storage::Record left = *event.previous;
            left.bytes = make_bytes(with_revision(*event.previous, record.revision));
            emit(step, "DELETED", left);
        }
    }

    void emit(Step& step, std::string_view type, const storage::Record& record) {
        step.data.push_back(type == "ADDED"      ? Slice::literal("{\"type\":\"ADDED\",\"object\":")
                            : type == "MODIFIED" ? Slice::literal("{\"type\":\"MODIFIED\",\"object\":")
                                                 : Slice::literal("{\"type\":\"DELETED\",\"object\":"));
        step.data.push_back(form_of(record));
        step.data.push_back(Slice::literal("}\n"));
    }

    Slice form_of(const storage::Record& record) {
        const Exchange& exchange = *options_.exchange;
        if (exchange.form.as == AnswerForm::As::object) return object_text(exchange.registry, *exchange.kind, record);
        return other_form(exchange.registry.document_as(record, columns_of(exchange)));
    }

    Slice other_form(const Json& document) {
        const Exchange& exchange = *options_.exchange;
        if (exchange.form.as == AnswerForm::As::partial) return Slice::of(encode_raw(partial_object_metadata(document)));
        const std::string_view include = exchange.info.parameter("includeObject");
        std::string text = table_of({document}, {.kind = columns_of(exchange),
                                                 .include = include == "Object" ? IncludeObject::object
                                                            : include == "None" ? IncludeObject::none
                                                                                : IncludeObject::metadata,
                                                 .with_columns = !columns_sent_,
                                                 .now = now(),
                                                 .resource_version = string_at(document, {"metadata", "resourceVersion"})});
        columns_sent_ = true;
        text.pop_back();
        return Slice::of(std::move(text));
    }

    void bookmark(Step& step, storage::Revision revision, bool initial_end) {
        const Exchange& exchange = *options_.exchange;
        const KindSpec& kind = *exchange.kind;
        Json object = {{"metadata", Json::object()}};
        if (initial_end) object["metadata"]["annotations"] = {{"k8s.io/initial-events-end", "true"}};
        step.data.push_back(Slice::literal("{\"type\":\"BOOKMARK\",\"object\":"));
        if (exchange.form.as == AnswerForm::As::object) {
            Encoded encoded = encode_object(object, *kind.type, api_version_of(kind), kind.kind);
            encoded.text.insert(encoded.revision_at, std::to_string(revision));
            step.data.push_back(Slice::of(std::move(encoded.text)));
        } else {
            object["metadata"]["resourceVersion"] = std::to_string(revision);
            object["metadata"]["creationTimestamp"] = nullptr;
            object["kind"] = kind.kind;
            object["apiVersion"] = api_version_of(kind);
            step.data.push_back(other_form(object));
        }
        step.data.push_back(Slice::literal("}\n"));
    }

    Options options_;
    Time next_bookmark_;
    std::shared_ptr<Wake> wake_;
    std::unique_ptr<storage::WatchCursor> cursor_;
    storage::Revision position_ = 0;
    bool initial_pending_ = false;
    bool columns_sent_ = false;
};

ApiResult<bool> check_options(const Exchange& exchange, bool send_initial) {
    const RequestInfo& info = exchange.info;
    const std::string_view match = info.parameter("resourceVersionMatch");
    FieldErrors errors;
    if (!match.empty()) {
        if (!info.has("sendInitialEvents")) {
            errors.forbidden(FieldPath("resourceVersionMatch"), "resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided");
        }
        if (match != "NotOlderThan") errors.not_supported(FieldPath("resourceVersionMatch"), match, {"NotOlderThan"});
    } else if (info.has("sendInitialEvents")) {
        errors.forbidden(FieldPath("resourceVersionMatch"), "sendInitialEvents requires setting resourceVersionMatch to NotOlderThan");
    }
    if (send_initial && !info.flag("allowWatchBookmarks")) {
        errors.forbidden(FieldPath("sendInitialEvents"), "sendInitialEvents requires setting allowWatchBookmarks to true");
    }
    if (!errors.empty()) return Status::invalid("meta.k8s.io", "ListOptions", "", errors);
    return true;
}

}  // namespace

ApiResult<bool> handle_watch(const ExchangePtr& exchange) {
    const RequestInfo& info = exchange->info;
    Registry& registry = exchange->registry;
    TRY_ASSIGN(Selection selection, selection_of(*exchange));
    const bool send_initial = info.flag("sendInitialEvents");
    TRY(check_options(*exchange, send_initial));
    TRY_ASSIGN(const std::int64_t timeout, number_parameter(*exchange, "timeoutSeconds", 0));
    TRY_ASSIGN(storage::Revision revision, revision_parameter(*exchange));

    WatchStream::Options options;
    options.exchange = exchange;
    options.selection = std::move(selection);
    options.bookmarks = info.flag("allowWatchBookmarks");
    const Duration minimum = limits::watch_timeout_min;
    const Duration spread = Duration(static_cast<Duration::rep>(registry.random().below("watch-timeout", 1800)) * 1'000'000);
    options.deadline = registry.clock().now() + (timeout > 0 ? Duration(std::chrono::seconds(timeout)) : minimum + spread);
    const storage::Revision current = registry.store().current_revision();
    if (revision > current) return Status::too_large_resource_version(revision, current);
    const bool declined = info.has("sendInitialEvents") && !send_initial;
    const bool from_now = revision == 0 && !declined;
    if (send_initial || from_now) {
        const storage::Snapshot snapshot = registry.store().list(exchange->kind->resource, key_prefix(*exchange));
        for (const storage::RecordPtr& record : snapshot.records) {
            if (options.selection.matches(*record)) options.initial.push_back(record);
        }
        options.revision = revision = snapshot.revision;
    } else if (revision == 0) {
        revision = current;
    }
    auto stream = std::make_unique<WatchStream>(std::move(options));
    if (send_initial) stream->expect_initial_end();
    TRY(stream->open(revision));
    Response response;
    response.stream = std::move(stream);
    for (const std::string& warning : exchange->warnings) response.headers.emplace_back("Warning", "299 - \"" + warning + "\"");
    Respond respond = std::move(exchange->respond);
    exchange->respond = nullptr;
    respond(std::move(response));
    return true;
}

}  // namespace kubemu::api
