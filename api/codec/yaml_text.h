// The characters of a YAML text, checked before anything is parsed: go-yaml's reader (yaml_parser_update_buffer) refuses
// bad UTF-8 and control characters, and takes more than a line feed for the end of a line.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace kubemu::api {

// What is wrong with the text in go-yaml's words, without its "yaml: "; nothing when it is fine.
std::optional<std::string> check_yaml_characters(std::string_view text);

// CR, CR LF and NEL as LF. Returns the text itself when it has none of them; `storage` keeps the copy otherwise.
std::string_view with_line_feeds(std::string_view text, std::string& storage);

// yaml-cpp reads the escapes \N and \_ as the bytes 0x85 and 0xA0 alone: makes the characters of them (NEL, NBSP).
std::string mend_yaml_escapes(const std::string& scalar);

// Characters that have to be escaped in a YAML text: control characters but for line feeds and tabs, NEL, the separators
// of lines and paragraphs, the byte order mark.
bool has_yaml_specials(std::string_view text);
// The inside of a double-quoted scalar with those beyond ASCII, and DEL, as \u escapes.
std::string escape_yaml_specials(std::string_view text);

// "line 3: " before a message of go-yaml about a line that is counted from 0; nothing for the first line. Its scanner counts
// from 1, its parser, which finds something other than it expected, from 0.
std::string go_line(int line, std::string_view message);
// The line of the end of a text, which counts as the beginning of another one.
int line_of_end(std::string_view text);
// For a key at `key_at`, in a map of lines, that no colon follows: the line of what comes next.
std::optional<int> line_behind_bare_key(std::string_view text, std::size_t key_at);

}  // namespace kubemu::api
