// Pipelines: each stage is an interpreter of its own, and all go on beside each other as their input comes in.
#include <algorithm>
#include <utility>

#include "controllers/kubelet/interpreter.h"

namespace kubemu::controllers::kubelet::shell {

void Interpreter::begin_pipe(const Instruction& instruction) {
    pipe_.emplace();
    for (const auto& program : instruction.stages) {
        pipe_->stages.push_back(std::make_unique<Interpreter>(machine_, program));
        Interpreter& stage = *pipe_->stages.back();
        stage.machine_.traps.clear();
        if (pipe_->stages.size() > 1) {
            stage.input_ = std::make_shared<Input>();
            stage.input_->open = true;
        } else if (&current_input() == input_.get()) {
            stage.input_ = input_;
        } else {
            *stage.input_ = std::exchange(current_input(), Input{});
        }
    }
}

// One stage, as far as it can go; what it writes is the next one's input.
void Interpreter::run_stage(std::size_t number, const Process::Output& output) {
    Interpreter& stage = *pipe_->stages[number];
    const bool last = number + 1 == pipe_->stages.size();
    Interpreter* next = last ? nullptr : pipe_->stages[number + 1].get();
    // More of the first stage's input has come when the pipeline is looked at again; the others are told below.
    if (number == 0) stage.resume(machine_.time);
    stage.run(until_, [&](Time time, std::string_view text, int descriptor) {
        if (descriptor == 2) return output(time, text, 2);
        if (last) {
            machine_.time = std::max(machine_.time, time);
            return write_text(1, std::string(text), {}, output);
        }
        if (next->finished()) return;  // nobody reads it any more
        next->input_->text += text;
        next->resume(time);
    });
    if (stage.finished() && !stage.machine_.endless && !last && next->input_->open) {
        next->input_->open = false;
        next->resume(stage.machine_.time);
    }
}

// Runs until all stages have ended, and is run again after each wait.
void Interpreter::run_pipe(const Process::Output& output) {
    std::vector<std::unique_ptr<Interpreter>>& stages = pipe_->stages;
    for (std::size_t i = 0; i < stages.size(); ++i) run_stage(i, output);
    if (stages.back()->finished() && !stages.back()->machine_.endless) {
        machine_.status = stages.back()->machine_.status;
        machine_.time = std::max(machine_.time, stages.back()->machine_.time);
        pipe_.reset();
        return;
    }
    bool goes_on = false;
    std::optional<Time> sleeps_until;
    for (const auto& stage : stages) {
        if (stage->finished() || stage->wants_input_ || stage->machine_.endless) continue;
        const Time time = stage->machine_.time;
        if (time <= until_) goes_on = true;
        else sleeps_until = std::min(sleeps_until.value_or(time), time);
    }
    const bool reads = stages.front()->wants_input_ && stages.front()->input_->open;
    if (goes_on || sleeps_until) {
        if (!goes_on) machine_.time = std::max(machine_.time, *sleeps_until);
        --at_;
    } else if (reads) {
        suspend();
    } else {
        machine_.endless = true;
    }
}

void Interpreter::pipeline(const Instruction& instruction, const Process::Output& output) {
    // A substitution, and what runs in the background, is run ahead of the clock as a whole.
    if (machine_.depth > 0 || instruction.background) return capture_pipeline(instruction, output);
    if (!pipe_) begin_pipe(instruction);
    run_pipe(output);
}

void Interpreter::capture_pipeline(const Instruction& instruction, const Process::Output& output) {
    const Machine before = machine_;
    Streams streams;
    Input text = current_input();
    bool first = true, endless = machine_.endless;
    for (const auto& stage : instruction.stages) {
        Input& input = first ? current_input() : text;
        Input produced;
        produced.text = Interpreter::capture(machine_, stage, input, true, streams.err);
        if (machine_.wants_input) {
            machine_ = before;
            return suspend();
        }
        text = std::move(produced);
        endless = endless || machine_.endless;
        machine_.endless = endless;
        first = false;
    }
    if (instruction.background) leave_in_background(before.time);
    streams.out = std::move(text.text);
    emit({}, streams, output);
}

}  // namespace kubemu::controllers::kubelet::shell
