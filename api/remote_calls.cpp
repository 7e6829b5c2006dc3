// Questions by their key, and the calls of one round.
#include "api/remote_calls.h"

#include "storage/base/limits.h"

namespace kubemu::api {

Response unreachable_response(const std::string& why) {
    Response response;
    response.code = 503;
    response.content_type = "text/plain; charset=utf-8";
    response.body.push_back(Slice::of("error trying to reach service: " + why + "\n"));
    return response;
}

void RemoteCaller::forward(RemoteCall passed, Respond respond) {
    call(std::move(passed), [respond = std::move(respond)](RemoteAnswer answer) {
        if (!answer.error.empty()) return respond(unreachable_response(answer.error));
        Response response;
        response.code = answer.code;
        response.content_type = std::move(answer.content_type);
        response.body.push_back(Slice::of(std::move(answer.body)));
        respond(std::move(response));
    });
}

bool RemoteCaller::reaches(const std::string&) const { return false; }

void RemoteCalls::begin() {
    ++runs_;
    wanted_.clear();
    random_.reset();
}

Time RemoteCalls::time(const Clock& clock) {
    if (!time_) time_ = clock.now();
    return *time_;
}

Random& RemoteCalls::random(Random& cluster) {
    if (!seed_) seed_ = cluster.below("request", UINT64_MAX);
    if (random_ == nullptr) random_ = std::make_unique<Random>(*seed_);
    return *random_;
}

const RemoteAnswer* RemoteCalls::ask(const std::string& key, Random& random,
                                     const std::function<RemoteCall(const std::string& uid)>& make, std::string& uid) {
    std::unique_ptr<Question>& question = questions_[key];
    if (question == nullptr) {
        question = std::make_unique<Question>();
        // Never the same one again when the request is run again.
        if (uids_ == nullptr) uids_ = std::make_unique<Random>(random.below("review", UINT64_MAX));
        question->uid = uids_->uuid("review");
        question->call = make(question->uid);
    }
    uid = question->uid;
    if (question->answer) return &*question->answer;
    wanted_.push_back(question.get());
    return nullptr;
}

void RemoteCalls::start(RemoteCaller& caller, std::function<void()> done) {
    // One place for this loop, so that the last answer cannot come before the last call is made.
    open_.store(wanted_.size() + 1);
    const auto all_done = std::make_shared<std::function<void()>>(std::move(done));
    const auto leave = [this, all_done] {
        if (open_.fetch_sub(1) == 1) (*all_done)();
    };
    const std::vector<Question*> round = std::move(wanted_);
    wanted_.clear();
    for (Question* question : round) {
        caller.call(question->call, [question, leave](RemoteAnswer answer) {
            question->answer = std::move(answer);
            leave();
        });
    }
    leave();
}

bool RemoteCalls::exhausted() const { return runs_ > limits::remote_rounds_max; }

Status waits_for_answer() { return Status::service_unavailable("the answer of another server is not there yet"); }

}  // namespace kubemu::api
