#include <bit>
#include <cmath>
#include <nlohmann/json.hpp>

#include "diskann/version.hpp"
#include "index/code_layout.hpp"
#include "index/index_file.hpp"
#include "index/index_state.hpp"
#include "index/microsoft.hpp"
#include "index/record_pages.hpp"

namespace diskann::index {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::size_t kMostRanks = 16, kMostLists = 256;  // of a calibration

/// Control characters, also those of U+0080 to U+009F: a terminal that is shown them may obey.
bool has_control_characters(std::string_view utf8) {
  for (std::size_t i = 0; i < utf8.size(); ++i) {
    const auto byte = static_cast<unsigned char>(utf8[i]);
    const auto next = i + 1 < utf8.size() ? static_cast<unsigned char>(utf8[i + 1]) : 0xFFu;
    if (byte < 0x20 || byte == 0x7F || (byte == 0xC2 && next < 0xA0)) return true;
  }
  return false;
}

/// Reads fields one by one, so that each error names its field.
class MetaReader {
 public:
  MetaReader(std::string_view text, std::string where) : where_(std::move(where)) {
    json_ = Json::parse(text, nullptr, false);
    if (!json_.is_object()) fail("is not a JSON object");
  }

  std::uint64_t integer(const Json& object, const char* key, std::uint64_t least, std::uint64_t most) const {
    const auto found = object.find(key);
    if (found == object.end() || !found->is_number_unsigned()) fail(std::string("has no number '") + key + "'");
    const auto value = found->get<std::uint64_t>();
    if (value < least || value > most) {
      fail(std::string("has ") + key + " " + std::to_string(value) + ", which is not within " + std::to_string(least) +
           " to " + std::to_string(most));
    }
    return value;
  }
  std::string text(const Json& object, const char* key) const {
    const auto found = object.find(key);
    if (found == object.end() || !found->is_string()) fail(std::string("has no text '") + key + "'");
    auto value = found->get<std::string>();
    if (has_control_characters(value)) fail(std::string("has control characters in '") + key + "'");
    return value;
  }
  double number(const Json& object, const char* key) const {
    const auto found = object.find(key);
    if (found == object.end() || !found->is_number()) fail(std::string("has no number '") + key + "'");
    return found->get<double>();
  }
  const Json& object(const char* key) const {
    const auto found = json_.find(key);
    if (found == json_.end() || !found->is_object()) fail(std::string("has no object '") + key + "'");
    return *found;
  }
  const Json& root() const noexcept { return json_; }

  template <class Parse>
  auto named(const char* key, const Parse& parse) const {
    const std::string name = text(json_, key);
    try {
      return parse(name);
    } catch (const Error&) {
      fail(std::string("has an unknown ") + key + " '" + name + "'");
    }
  }
  [[noreturn]] void fail(const std::string& what) const {
    throw Error(ErrorCode::Corrupt, where_ + ": the metadata " + what);
  }
  [[noreturn]] void fail_newer(const std::string& what) const {
    throw Error(ErrorCode::UnsupportedVersion, where_ + ": the metadata " + what,
                "it was written by a newer version; update diskann");
  }

 private:
  std::string where_;
  Json json_;
};

Distance parse_metric(const std::string& name) {
  return name == to_string(Distance::Custom) ? Distance::Custom : parse_distance(name);
}

void read_shared(const MetaReader& reader, const Json& codec, IndexMeta& meta) {
  meta.code_numbers.shared = static_cast<float>(reader.number(codec, "shared"));
  if (!(meta.code_numbers.shared >= 0 && meta.code_numbers.shared <= 1))
    reader.fail("has a part of what codes lose that is none");
}

void read_nibbles(const MetaReader& reader, const Json& codec, IndexMeta& meta) {
  CodeNumbers& grid = meta.code_numbers;
  grid.shape = nibble_shape(meta.codec, meta.dimension);
  if (meta.codec == Codec::Mix) {
    grid.shape.bytes = reader.integer(codec, "bytes", 0, base::kMaxDimension);
    grid.shape.nibbles = reader.integer(codec, "nibbles", 0, base::kMaxDimension);
    read_shared(reader, codec, meta);
    if (grid.shape.bytes > base::round_up(meta.dimension, distance::kBytesInLine) ||
        grid.shape.bytes % distance::kBytesInLine != 0 || grid.shape.components() == 0 ||
        quantization::directions_of(grid.shape, meta.dimension) > meta.dimension)
      reader.fail("has a shape of codes that is none");
  }
  grid.step = static_cast<float>(reader.number(codec, "step"));
  const auto places = codec.find("places");
  if (!std::isfinite(grid.step) || !(grid.step > 0) || places == codec.end() || !places->is_array() ||
      places->size() != grid.places.size())
    reader.fail("has a grid of codes that is none");
  for (std::size_t i = 0; i < grid.places.size(); ++i) {
    const Json& place = (*places)[i];
    const double value = place.is_number_integer() ? place.get<double>() : 64.0;
    if (value < -64 || value > 63) reader.fail("has a place of codes that is none");
    grid.places[i] = static_cast<std::int8_t>(value);
  }
}

/// Of chunks that are made of directions, no more than there are components.
void read_lengths(const MetaReader& reader, const Json& codec, quantization::ProductShape& shape) {
  const Json& lengths = codec["lengths"];
  const std::size_t most = shape.dimension;
  if (!lengths.is_array() || lengths.size() != shape.chunks) reader.fail("has chunks of codes without lengths");
  shape.along_directions = true;
  shape.dimension = 0;
  for (const Json& length : lengths) {
    shape.starts.push_back(static_cast<std::uint32_t>(shape.dimension));
    const std::uint64_t value = length.is_number_unsigned() ? length.get<std::uint64_t>() : 0;
    if (value < 1 || value > most - shape.dimension) reader.fail("has a length of chunks that is none");
    shape.dimension += value;
  }
  shape.starts.push_back(static_cast<std::uint32_t>(shape.dimension));
}

/// Codes are no part of what a file with vectors promises: those of a newer codec are as if they were not there.
void read_codec(const MetaReader& reader, IndexMeta& meta) {
  const auto found = reader.root().find("codec");
  if (found == reader.root().end()) return;
  const std::string name = reader.text(*found, "name");
  try {
    meta.codec = parse_codec(name);
  } catch (const Error&) {
    if (!meta.has_vectors || meta.paged) reader.fail_newer("is searched by codes " + name + " alone");
    return;
  }
  if (meta.codec == Codec::Auto) meta.codec = Codec::None;
  if (meta.codec == Codec::None) return;
  if (meta.metric == Distance::Custom || !has_codes(meta.codec, meta.type, meta.dimension))
    reader.fail("has the codec " + name + " for rows that have no such codes");
  if (on_nibble_grid(meta.codec)) return read_nibbles(reader, *found, meta);
  if (const std::size_t bits = product_bits(meta.codec)) {
    quantization::ProductShape& shape = meta.code_numbers.product;
    shape = {meta.dimension, reader.integer(*found, "chunks", 1, meta.dimension), bits};
    if (found->contains("lengths")) read_lengths(reader, *found, shape);
    return read_shared(reader, *found, meta);
  }
  if (meta.codec != Codec::SQ8) return;
  const quantization::Grid grid{code_type(meta.codec, meta.metric), static_cast<float>(reader.number(*found, "zero")),
                                static_cast<float>(reader.number(*found, "step"))};
  const bool centred = grid.type == VectorType::U8 || grid.zero == 0;
  if (!std::isfinite(grid.zero) || !std::isfinite(grid.step) || !(grid.step > 0) || !centred)
    reader.fail("has a grid of codes that is none");
  meta.code_numbers.zero = grid.zero;
  meta.code_numbers.step = grid.step;
  if (found->contains("longest"))
    meta.code_numbers.longest = static_cast<float>(reader.number(*found, "longest"));
  else if (!meta.has_vectors && meta.metric == Distance::InnerProduct)
    reader.fail("has no length of codes");
  if (!std::isfinite(meta.code_numbers.longest) || meta.code_numbers.longest < 0)
    reader.fail("has a length of codes that is none");
}

/// Hostile sizes would be looked for in it, and non-numbers searched with.
std::vector<std::uint32_t> read_counts(const MetaReader& reader, const Json& object, const char* key, bool rising) {
  std::vector<std::uint32_t> counts;
  const auto found = object.find(key);
  if (found == object.end() || !found->is_array() || found->size() > kMostRanks)
    reader.fail(std::string("has a calibration without '") + key + "'");
  for (const Json& count : *found) {
    const std::uint64_t value = count.is_number_unsigned() ? count.get<std::uint64_t>() : 0;
    if (value < 1 || value > base::kMaxSlots || (rising && !counts.empty() && value <= counts.back()))
      reader.fail(std::string("has a calibration with '") + key + "' that are none");
    counts.push_back(static_cast<std::uint32_t>(value));
  }
  return counts;
}

ListMeasurement read_list(const MetaReader& reader, const Json& json, const Calibration& so_far) {
  if (!json.is_object()) reader.fail("has a calibration of no lists");
  ListMeasurement list;
  list.search_list_size = static_cast<std::uint32_t>(reader.integer(json, "search_list_size", 1, base::kMaxSlots));
  list.hops = reader.number(json, "hops");
  list.distance_computations = reader.number(json, "distance_computations");
  const auto recall = json.find("recall");
  if (recall == json.end() || !recall->is_array() || recall->size() != so_far.k.size())
    reader.fail("has a calibration without 'recall'");
  for (std::size_t i = 0; i < recall->size(); ++i) {
    const double value = (*recall)[i].is_number() ? (*recall)[i].get<double>() : -1.0;
    const double before = so_far.lists.empty() ? 0.0 : so_far.lists.back().recall[i];
    if (!(value >= before && value <= 1)) reader.fail("has a calibration whose recall falls or is none");
    list.recall.push_back(value);
  }
  if (const auto compared = json.find("compared"); compared != json.end()) {
    if (!compared->is_array() || compared->size() != so_far.k.size())
      reader.fail("has a calibration with 'compared' for other k");
    for (const Json& rows : *compared) {
      list.compared.push_back(rows.is_number() ? rows.get<double>() : -1.0);
      if (!(list.compared.back() >= 0)) reader.fail("has a calibration with 'compared' that are none");
    }
  }
  if (!so_far.lists.empty() && list.search_list_size <= so_far.lists.back().search_list_size)
    reader.fail("has a calibration whose lists do not grow");
  return list;
}

StopMeasurement read_stop(const MetaReader& reader, const Json& json, const Calibration& so_far) {
  if (!json.is_object()) reader.fail("has a calibration of no stops");
  StopMeasurement stop;
  stop.search_list_size = static_cast<std::uint32_t>(reader.integer(json, "search_list_size", 1, base::kMaxSlots));
  stop.spreads = reader.number(json, "spreads");
  const auto numbers = [&](const char* key, double most) {
    const auto found = json.find(key);
    std::vector<double> values;
    if (found == json.end() || !found->is_array() || found->size() != so_far.k.size())
      reader.fail(std::string("has a calibration whose stops have no '") + key + "'");
    for (const Json& value : *found) {
      values.push_back(value.is_number() ? value.get<double>() : -1.0);
      if (!(values.back() >= 0 && values.back() <= most))
        reader.fail(std::string("has a calibration whose stops have '") + key + "' that are none");
    }
    return values;
  };
  stop.recall = numbers("recall", 1);
  stop.nodes = numbers("nodes", std::numeric_limits<double>::max());
  if (!(stop.spreads >= 0)) reader.fail("has a calibration with a stop that is none");
  return stop;
}

Calibration read_calibration(const MetaReader& reader) {
  Calibration calibration;
  if (reader.root().find("calibration") == reader.root().end()) return calibration;
  const Json& json = reader.object("calibration");
  calibration.queries = reader.integer(json, "queries", 1, base::kMaxSlots);
  const auto stored_rows = json.find("stored_rows");
  if (stored_rows == json.end() || !stored_rows->is_boolean()) reader.fail("has a calibration without 'stored_rows'");
  calibration.stored_rows = stored_rows->get<bool>();
  calibration.k = read_counts(reader, json, "k", true);
  calibration.rerank = read_counts(reader, json, "rerank", false);  // one neighbour far behind may lift the first
  const auto lists = json.find("lists");
  const bool ranked =
      !calibration.k.empty() && (calibration.rerank.empty() || calibration.rerank.size() == calibration.k.size());
  if (!ranked || lists == json.end() || !lists->is_array() || lists->empty() || lists->size() > kMostLists)
    reader.fail("has a calibration of no lists");
  for (const Json& list : *lists) calibration.lists.push_back(read_list(reader, list, calibration));
  if (const auto stops = json.find("stops"); stops != json.end()) {
    if (!stops->is_array() || stops->size() > kMostLists) reader.fail("has a calibration of no stops");
    for (const Json& stop : *stops) calibration.stops.push_back(read_stop(reader, stop, calibration));
  }
  return calibration;
}

/// Files of the first form do not name it.
std::uint32_t read_page_bytes(const MetaReader& reader) {
  if (!reader.root().contains("page_bytes")) return BuildParameters::kLeastPageBytes;
  const auto bytes = static_cast<std::uint32_t>(
      reader.integer(reader.root(), "page_bytes", BuildParameters::kLeastPageBytes, BuildParameters::kMostPageBytes));
  if (!std::has_single_bit(bytes)) reader.fail("has page_bytes that are no power of two");
  return bytes;
}

Json to_json(const Calibration& calibration) {
  Json json = {{"queries", calibration.queries}, {"stored_rows", calibration.stored_rows}};
  json["k"] = calibration.k;
  json["rerank"] = calibration.rerank;
  for (const ListMeasurement& list : calibration.lists) {
    Json& one = json["lists"].emplace_back(Json{{"search_list_size", list.search_list_size},
                                                {"hops", list.hops},
                                                {"distance_computations", list.distance_computations},
                                                {"recall", list.recall}});
    if (!list.compared.empty()) one["compared"] = list.compared;
  }
  for (const StopMeasurement& stop : calibration.stops) {
    json["stops"].push_back({{"search_list_size", stop.search_list_size},
                             {"spreads", stop.spreads},
                             {"recall", stop.recall},
                             {"nodes", stop.nodes}});
  }
  return json;
}

}  // namespace

std::string meta_to_json(const Index::State& state, const Codes* paged) {
  const Codes& codes = paged != nullptr ? *paged : state.codes;
  const base::RowsView& rows = state.rows.view();
  Json json;
  json["format"] = "diskann-index";
  json["library_version"] = DISKANN_VERSION;
  json["points"] = state.points.points();
  json["nodes"] = rows.rows;
  json["dimension"] = rows.dimension;
  json["type"] = to_string(rows.type);
  json["source_type"] = to_string(state.source_type);
  json["metric"] = to_string(state.metric);
  if (state.custom != nullptr) {
    const std::string name = state.custom->name();
    if (has_control_characters(name))
      throw Error(ErrorCode::InvalidArgument, "the name of the distance has control characters: no file may hold it");
    json["distance_name"] = name;
  }
  json["max_degree"] = state.parameters.max_degree;
  json["graph_stride"] = state.graph.stride();
  if (codes.codec != Codec::None) {
    Json& codec = json["codec"];
    codec["name"] = to_string(codes.codec);
    const CodeNumbers numbers = codes.book->numbers();
    if (codes.codec == Codec::SQ8) codec["zero"] = static_cast<double>(numbers.zero);
    if (numbers.longest != 0) codec["longest"] = static_cast<double>(numbers.longest);
    if (numbers.step != 0) codec["step"] = static_cast<double>(numbers.step);
    if (on_nibble_grid(codes.codec)) codec["places"] = numbers.places;
    if (codes.codec == Codec::Mix) {
      codec["bytes"] = numbers.shape.bytes;
      codec["nibbles"] = numbers.shape.nibbles;
    }
    if (numbers.product.chunks != 0) codec["chunks"] = numbers.product.chunks;
    for (std::size_t chunk = 0; numbers.product.along_directions && chunk < numbers.product.chunks; ++chunk)
      codec["lengths"].push_back(numbers.product.length(chunk));
    if (codes.codec == Codec::Mix || numbers.product.chunks != 0) codec["shared"] = static_cast<double>(numbers.shared);
  }
  if (!state.has_vectors()) json["vectors"] = "dropped";
  if (paged != nullptr) {
    json["vectors"] = "paged";
    json["page_bytes"] =
        NodePages(rows.type, rows.dimension, state.parameters.max_degree, state.parameters.page_bytes).page_bytes;
  }
  json["build"] = {{"builder", state.builder},
                   {"search_list_size", state.parameters.search_list_size},
                   {"alpha", static_cast<double>(state.parameters.alpha)},
                   {"seed", state.parameters.seed}};
  if (state.calibration.queries != 0) json["calibration"] = to_json(state.calibration);
  return json.dump(1, ' ', false, Json::error_handler_t::replace) + "\n";
}

IndexMeta meta_from_json(std::string_view json, const std::string& where) {
  const MetaReader reader(json, where);
  const Json& root = reader.root();
  if (reader.text(root, "format") != "diskann-index") reader.fail("is not that of a diskann index");
  IndexMeta meta;
  meta.library_version = reader.text(root, "library_version");
  meta.points = reader.integer(root, "points", 0, base::kMaxSlots);
  meta.nodes = reader.integer(root, "nodes", 1, base::kMaxSlots);
  meta.dimension = reader.integer(root, "dimension", 1, base::kMaxDimension);
  meta.type = reader.named("type", [](const std::string& name) { return parse_vector_type(name); });
  meta.source_type = reader.named("source_type", [](const std::string& name) { return parse_vector_type(name); });
  meta.metric = reader.named("metric", parse_metric);
  if (meta.metric == Distance::Custom) {
    meta.distance_name = reader.text(root, "distance_name");
    if (meta.type != VectorType::F32) reader.fail("has a custom distance over vectors that are not f32");
  }
  constexpr std::uint64_t kMost32 = 0xFFFFFFFFu;
  meta.parameters.max_degree = static_cast<std::uint32_t>(reader.integer(root, "max_degree", 1, 1 << 20));
  meta.graph_stride = static_cast<std::uint32_t>(reader.integer(root, "graph_stride", 1, 1 << 20));
  if (meta.graph_stride < meta.parameters.max_degree) reader.fail("has a graph_stride below max_degree");
  if (root.contains("vectors")) {
    const std::string vectors = reader.text(root, "vectors");
    meta.paged = vectors == "paged";
    meta.has_vectors = meta.paged;
    if (!meta.paged && vectors != "dropped") reader.fail("has an unknown state of vectors");
  }
  read_codec(reader, meta);
  if (!meta.has_vectors && meta.codec == Codec::None) reader.fail("has neither vectors nor codes");
  if (meta.paged && meta.codec == Codec::None) reader.fail("has pages, but no codes to find them by");
  const Json& build = reader.object("build");
  meta.builder = reader.text(build, "builder");
  if (meta.builder == kMicrosoftBuilder && meta.metric == Distance::Custom)
    reader.fail("has a graph of Microsoft's by a custom distance");
  meta.parameters.search_list_size = static_cast<std::uint32_t>(reader.integer(build, "search_list_size", 0, kMost32));
  meta.parameters.alpha = static_cast<float>(reader.number(build, "alpha"));
  meta.parameters.seed = reader.integer(build, "seed", 0, ~std::uint64_t{0});
  if (meta.paged) meta.parameters.page_bytes = read_page_bytes(reader);
  meta.calibration = read_calibration(reader);
  return meta;
}

IndexMeta read_meta(const io::Container& container) {
  const std::vector<std::byte> bytes = container.read_small(container.require(io::SectionKind::Meta));
  return meta_from_json({reinterpret_cast<const char*>(bytes.data()), bytes.size()}, container.path().string());
}

}  // namespace diskann::index
