#include <array>
#include <string>
#include <utility>

#include "diskann/vector_file.hpp"

namespace diskann {

namespace {

// In the order of the enumeration.
constexpr std::array<std::string_view, 9> kNames = {"fvecs", "bvecs", "ivecs", "fbin", "f16bin",
                                                    "u8bin", "i8bin", "bin",   "npy"};
constexpr const char* kHint = "use fvecs, bvecs, ivecs, fbin, f16bin, u8bin, i8bin, bin or npy";

}  // namespace

std::string_view to_string(VectorFormat format) noexcept { return kNames[static_cast<std::size_t>(format)]; }

VectorFormat parse_vector_format(std::string_view name) {
  for (std::size_t i = 0; i < kNames.size(); ++i)
    if (kNames[i] == name) return static_cast<VectorFormat>(i);
  throw Error(ErrorCode::InvalidArgument, "unknown vector format '" + std::string(name) + "'", kHint);
}

VectorFormat vector_format_of(const std::filesystem::path& path) {
  const std::string suffix = path.extension().string();
  if (suffix == ".data") return VectorFormat::Bin;
  for (std::size_t i = 0; i < kNames.size(); ++i)
    if (suffix.size() == kNames[i].size() + 1 && suffix.substr(1) == kNames[i]) return static_cast<VectorFormat>(i);
  throw Error(ErrorCode::InvalidArgument,
              path.string() + ": the suffix '" + suffix + "' names no format of vector files",
              "name it .fvecs, .bvecs, .ivecs, .fbin, .f16bin, .u8bin, .i8bin, .bin, .data or .npy");
}

std::optional<VectorType> type_told_by(VectorFormat format) noexcept {
  switch (format) {
    case VectorFormat::Fvecs:
    case VectorFormat::Fbin: return VectorType::F32;
    case VectorFormat::F16bin: return VectorType::F16;
    case VectorFormat::Bvecs:
    case VectorFormat::U8bin: return VectorType::U8;
    case VectorFormat::I8bin: return VectorType::I8;
    case VectorFormat::Ivecs:
    case VectorFormat::Bin:
    case VectorFormat::Npy: break;
  }
  return std::nullopt;
}

}  // namespace diskann
