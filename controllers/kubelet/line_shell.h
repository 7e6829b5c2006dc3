// A shell that reads its commands from standard input: which lines make a whole command, and what it asks for more with.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "controllers/kubelet/interpreter.h"

namespace kubemu::controllers::kubelet::shell {

class LineShell {
  public:
    // Takes the next whole command from the input; null when there is none, or none yet.
    std::shared_ptr<const Program> next(Input& input);
    // Forgets what has been taken of a command that is not whole (an interrupt).
    void forget() { taken_.clear(); }
    // "\w # " or "> " in the middle of a command.
    std::string prompt(const Machine& machine, std::string_view format) const;

  private:
    std::string taken_;
};

// Whether the script goes on: a quote, a here-document, a loop or the like is open.
bool is_incomplete(std::string_view script, const Program& program);

}  // namespace kubemu::controllers::kubelet::shell
