#include "diskann/inspect.hpp"

#include "diskann/vector_file.hpp"
#include "formats/microsoft.hpp"
#include "index/index_file.hpp"
#include "index/microsoft_disk.hpp"
#include "index/record_pages.hpp"
#include "io/container.hpp"

namespace diskann {

FileKind file_kind(const std::filesystem::path& path) {
  if (formats::is_microsoft_memory_set(path)) return FileKind::MicrosoftMemoryIndex;
  if (formats::microsoft_disk_index(path)) return FileKind::MicrosoftDiskIndex;
  if (io::is_container(path)) return FileKind::Index;
  try {
    inspect_vectors(path);
    return FileKind::Vectors;
  } catch (const Error& error) {
    // A vector file that is broken, or whose type must be told, is still one: the caller learns that when reading it.
    if (error.code() == ErrorCode::NotFound || error.code() == ErrorCode::Io) throw;
    try {
      vector_format_of(path);
      return FileKind::Vectors;
    } catch (const Error&) {
      return FileKind::Unknown;
    }
  }
}

namespace {

IndexFileInfo inspect_microsoft(const std::filesystem::path& prefix, const OpenOptions& options) {
  const formats::MicrosoftMemorySetInfo set =
      formats::inspect_microsoft_memory_set(prefix, options.metric, options.type);
  IndexFileInfo info;
  info.kind = FileKind::MicrosoftMemoryIndex;
  info.file_bytes = set.bytes;
  info.points = set.points - set.deleted;
  info.nodes = set.points + set.frozen_points;
  info.dimension = set.dimension;
  info.metric = set.metric;
  info.type = info.source_type = set.type;
  info.parameters = {set.max_degree, 0, 0, 0, 0};
  info.custom_ids = set.has_tags;
  return info;
}

DriveLayout layout_of(const index::NodePages& pages) {
  return {pages.split, pages.edges.record_bytes(), pages.edges.records(), pages.row_bytes, pages.edges.unit_bytes()};
}

IndexFileInfo inspect_microsoft_disk(const std::filesystem::path& named, const OpenOptions& options) {
  const formats::MicrosoftDiskSet set =
      formats::open_microsoft_disk_set(*formats::microsoft_disk_index(named), options.metric, options.type);
  IndexFileInfo info;
  info.kind = FileKind::MicrosoftDiskIndex;
  info.file_bytes = io::file_system().open(set.index)->size();
  info.points = set.nodes - (set.frozen ? 1 : 0);
  info.nodes = set.nodes;
  info.dimension = set.dimension;
  info.metric = set.metric;
  info.type = set.type;
  info.source_type = set.given;
  info.parameters = {set.max_degree, 0, 0, 0, 0};
  info.codec = Codec::PQ8;
  info.drive = layout_of(index::pages_of(set));
  return info;
}

}  // namespace

IndexFileInfo inspect_index(const std::filesystem::path& path, const OpenOptions& options) {
  if (formats::is_microsoft_memory_set(path)) return inspect_microsoft(path, options);
  if (formats::microsoft_disk_index(path)) return inspect_microsoft_disk(path, options);
  const io::Container container = io::Container::open(path);
  const index::IndexMeta meta = index::read_meta(container);
  IndexFileInfo info;
  info.format_version = container.format_version();
  info.library_version = meta.library_version;
  info.file_bytes = container.file_size();
  info.points = meta.points;
  info.nodes = meta.nodes;
  info.dimension = meta.dimension;
  info.metric = meta.metric;
  info.type = meta.type;
  info.source_type = meta.source_type;
  info.distance_name = meta.distance_name;
  info.parameters = meta.parameters;
  if (container.find(io::SectionKind::Codes) != nullptr) info.codec = meta.codec;
  info.has_vectors = meta.has_vectors;
  if (meta.paged) {
    info.drive = layout_of({meta.type, meta.dimension, meta.parameters.max_degree, meta.parameters.page_bytes});
  }
  info.calibration = meta.calibration;
  info.custom_ids = container.find(io::SectionKind::Ids) != nullptr;
  for (const io::Section& section : container.sections())
    info.sections.push_back(
        {to_string(section.kind), section.offset, section.length, section.checksum, section.version});
  return info;
}

}  // namespace diskann
