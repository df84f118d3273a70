#include "formats/npy_header.hpp"

#include <algorithm>
#include <array>
#include <string>
#include <string_view>

#include "base/checked.hpp"

namespace diskann::formats {

namespace {

constexpr std::uint32_t kMaxHeader = 65'536;
constexpr std::size_t kMaxRank = 32;

/// The header is a Python dict literal; only what numpy writes is taken: three keys, a string, a bool, a tuple.
class Parser {
 public:
  Parser(const InputFile& file, std::string_view text) : file_(file), text_(text) {}

  NpyHeader parse() {
    NpyHeader header;
    bool descr = false, order = false, shape = false;
    expect('{');
    while (!take('}')) {
      const std::string_view key = string();
      expect(':');
      if (key == "descr") {
        once(descr, key);
        header.element = element();
      } else if (key == "fortran_order") {
        once(order, key);
        header.fortran_order = boolean();
      } else if (key == "shape") {
        once(shape, key);
        header.shape = tuple();
      } else {
        bad("unknown key '" + std::string(key.substr(0, 40)) + "'");
      }
      if (take('}')) break;
      expect(',');
    }
    skip_blanks();
    if (at_ != text_.size()) bad("something follows the dictionary");
    if (!descr || !order || !shape) bad("one of the keys descr, fortran_order, shape is missing");
    return header;
  }

 private:
  [[noreturn]] void bad(const std::string& what) const {
    file_.corrupt("npy header, character " + std::to_string(at_) + ": " + what);
  }
  void once(bool& seen, std::string_view key) const {
    if (seen) bad("the key '" + std::string(key) + "' stands twice");
    seen = true;
  }
  void skip_blanks() noexcept {
    while (at_ < text_.size() && (text_[at_] == ' ' || text_[at_] == '\n' || text_[at_] == '\t' || text_[at_] == '\r'))
      ++at_;
  }
  bool take(char wanted) noexcept {
    skip_blanks();
    if (at_ == text_.size() || text_[at_] != wanted) return false;
    ++at_;
    return true;
  }
  void expect(char wanted) {
    if (!take(wanted)) bad(std::string("expected '") + wanted + "'");
  }

  std::string_view string() {
    skip_blanks();
    const char quote = take('\'') ? '\'' : take('"') ? '"' : '\0';
    if (quote == '\0') bad("expected a string");
    const std::size_t end = text_.find(quote, at_);
    if (end == std::string_view::npos) bad("a string does not end");
    const std::string_view result = text_.substr(at_, end - at_);
    at_ = end + 1;
    return result;
  }

  bool boolean() {
    skip_blanks();
    for (const std::string_view word : {std::string_view("True"), std::string_view("False")}) {
      if (text_.substr(at_, word.size()) != word) continue;
      at_ += word.size();
      return word == "True";
    }
    bad("expected True or False");
  }

  std::uint64_t integer() {
    skip_blanks();
    std::uint64_t value = 0;
    const std::size_t begin = at_;
    for (; at_ < text_.size() && text_[at_] >= '0' && text_[at_] <= '9'; ++at_)
      if (__builtin_mul_overflow(value, std::uint64_t{10}, &value) ||
          __builtin_add_overflow(value, static_cast<std::uint64_t>(text_[at_] - '0'), &value))
        bad("a number above 64 bits");
    if (at_ == begin) bad("expected a number that is not negative");
    if (at_ < text_.size() && text_[at_] == 'L') ++at_;  // written by Python 2
    return value;
  }

  std::vector<std::uint64_t> tuple() {
    std::vector<std::uint64_t> values;
    expect('(');
    while (!take(')')) {
      if (values.size() == kMaxRank) bad("more than 32 dimensions");
      values.push_back(integer());
      if (take(',')) continue;
      if (values.size() == 1) bad("expected ',' in a tuple of one");
      expect(')');
      break;
    }
    return values;
  }

  NpyElement element() {
    skip_blanks();
    if (at_ < text_.size() && text_[at_] == '[')
      file_.fail(ErrorCode::Unsupported, "the array has structured elements",
                 "save a plain array of numbers: numpy.save(path, array['field'])");
    const std::string_view descr = string();
    const auto unsupported = [&](const char* hint) {
      file_.fail(ErrorCode::Unsupported,
                 "elements of type '" + std::string(descr.substr(0, 40)) + "' are not read as vectors", hint);
    };
    if (descr.size() >= 2 && descr[1] == 'O')
      unsupported("object arrays are pickles and are never loaded; save an array of numbers");
    static constexpr std::array<std::string_view, 11> kTypes = {"f2", "f4", "f8", "i1", "i2", "i4",
                                                                "i8", "u1", "u2", "u4", "u8"};
    const std::string_view type = descr.substr(std::min<std::size_t>(1, descr.size()));
    if (descr.size() != 3 || std::string_view("<>=|").find(descr[0]) == std::string_view::npos ||
        std::find(kTypes.begin(), kTypes.end(), type) == kTypes.end())
      unsupported("save the array as float32, float16, int8 or uint8");
    const auto width = static_cast<std::uint8_t>(type[1] - '0');
    return {type[0], width, descr[0] == '>' && width > 1};
  }

  const InputFile& file_;
  std::string_view text_;
  std::size_t at_ = 0;
};

}  // namespace

NpyHeader read_npy_header(const InputFile& file) {
  static constexpr std::array<unsigned char, 6> kMagic = {0x93, 'N', 'U', 'M', 'P', 'Y'};
  const auto start = file.value<std::array<unsigned char, 8>>(0, "the start of an .npy file");
  if (!std::equal(kMagic.begin(), kMagic.end(), start.begin()))
    file.corrupt("this is not an .npy file: it does not start with \\x93NUMPY");
  const unsigned major = start[6], minor = start[7];
  if (major < 1 || major > 3 || minor != 0)
    file.fail(ErrorCode::UnsupportedVersion, "npy version " + std::to_string(major) + "." + std::to_string(minor) +
                                                 " is not known; versions 1.0 to 3.0 are");
  const std::uint64_t text_offset = major == 1 ? 10 : 12;
  const std::uint32_t length = major == 1 ? file.value<std::uint16_t>(8, "the length of the npy header")
                                          : file.value<std::uint32_t>(8, "the length of the npy header");
  if (length > kMaxHeader || text_offset + length > file.size())
    file.corrupt("the npy header is said to have " + std::to_string(length) + " bytes; the file has " +
                 std::to_string(file.size()) + " and the limit is " + std::to_string(kMaxHeader));
  std::string text(length, '\0');
  file.read(text_offset, text.data(), text.size());
  NpyHeader header = Parser(file, text).parse();
  header.data_offset = text_offset + length;

  std::uint64_t bytes = header.element.width;
  for (const std::uint64_t extent : header.shape) bytes = base::checked_multiply(bytes, extent, file.name().c_str());
  const std::uint64_t body = file.size() - header.data_offset;
  if (body == bytes) return header;
  std::string hint;
  const std::uint64_t row_bytes = header.shape.empty() || header.shape[0] == 0 ? 0 : bytes / header.shape[0];
  if (body < bytes && row_bytes != 0 && !header.fortran_order)
    hint = "the file is cut: it holds " + std::to_string(body / row_bytes) + " whole rows of " +
           std::to_string(header.shape[0]);
  file.corrupt("the shape in the npy header takes " + std::to_string(bytes) + " bytes; " + std::to_string(body) +
                   " follow the header",
               hint);
}

}  // namespace diskann::formats
