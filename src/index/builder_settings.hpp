#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "diskann/index.hpp"
#include "formats/vector_reader.hpp"
#include "index/budget.hpp"
#include "index/code_layout.hpp"

namespace diskann {

/// What an IndexBuilder was told, and what follows from it.
struct IndexBuilder::Settings {
  std::optional<std::size_t> dimensions;
  Distance metric = Distance::L2;
  std::shared_ptr<const DistanceFunction> custom;
  BuildParameters parameters;
  GraphBuilder builder = GraphBuilder::Auto;
  std::optional<float> alpha;
  std::optional<VectorType> store_as;
  index::CodeChoice codes = Codec::Auto;
  bool drop_vectors = false, for_drive = false;
  VectorView tuning_queries;
  std::optional<std::uint64_t> memory_limit;
  Execution execution;
  std::optional<std::vector<std::uint64_t>> ids;

  BuildParameters checked_parameters() const;
  void check_shape(std::uint64_t rows, std::size_t dimension) const;
  /// `coded`: whether codes of rows that are not of 8 bits can take their place while the graph is built.
  BuildEstimate estimate(std::uint64_t rows, std::size_t dimension, VectorType type, bool coded = true) const;
  /// The codes, or none where there is no room for what Auto could choose.
  index::CodeChoice codes_within_limit(std::uint64_t rows, std::size_t dimension, VectorType type, bool coded) const;
  void check_memory(const BuildEstimate& estimate) const;
  /// How many threads, of those asked for, leave room for a build in one go: none where one alone does not. What is
  /// made must not depend on how many there are.
  std::optional<unsigned> threads_within(std::uint64_t rows, std::size_t dimension, VectorType type,
                                         std::uint64_t memory) const;
  /// Of settings that builds in parts do not know.
  void check_parts() const;
  index::BudgetedRows in_parts(std::uint64_t rows, std::size_t dimension, VectorType type) const;
  std::unique_ptr<Index::State> build(const formats::VectorReader& reader, const BuildParameters& checked) const;

 private:
  BuildEstimate estimate_of(GraphBuilder which, std::uint64_t rows, std::size_t dimension, VectorType type, bool coded,
                            const index::CodeChoice& walked) const;
  BuildEstimate estimate_by(const index::CodeChoice& walked, std::uint64_t rows, std::size_t dimension, VectorType type,
                            bool coded) const;
};

}  // namespace diskann
