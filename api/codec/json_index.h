// Where the values of a JSON text begin and end, found in one pass and without making a document: what encoders need
// that go from one form to another.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace kubemu::api {

class JsonIndex {
  public:
    enum class Type : std::uint8_t { null, boolean, number, string, array, object };

    // A value, or the name of a member, which stands before its value.
    struct Node {
        std::uint32_t begin = 0, end = 0;  // in the text; of a string without its quotes
        std::uint32_t next = 0;            // the node behind this one and all that is in it
        Type type = Type::null;
        bool escaped = false;              // a string that has to be unescaped
    };

    // False when the text is not one JSON value, or is nested too deep (limits::document_depth_max) or too long for the
    // numbers of a node. The text must outlive the index; node 0 is the whole value.
    bool read(std::string_view text);

    const Node& operator[](std::uint32_t node) const { return nodes_[node]; }
    // The members of an object (a name, its value, the next name...) and the elements of an array are the nodes from
    // here up to `next`.
    static std::uint32_t first_inside(std::uint32_t node) { return node + 1; }

    // The text of a value as it stands there; of a string still escaped.
    std::string_view text(const Node& node) const { return text_.substr(node.begin, node.end - node.begin); }
    std::string_view text(std::uint32_t node) const { return text(nodes_[node]); }
    // A string's contents; `scratch` holds them when they had to be unescaped.
    std::string_view string(std::uint32_t node, std::string& scratch) const;
    // A value as JSON, the quotes of a string included.
    std::string_view json(std::uint32_t node) const;

  private:
    bool value(std::size_t depth);
    bool quoted();
    bool container(char close, std::size_t depth);
    void space();

    std::string_view text_;
    std::size_t at_ = 0;
    std::vector<Node> nodes_;
};

}  // namespace kubemu::api
