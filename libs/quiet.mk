# One short line for each target; `make V=1` (or V=1 npm run build:native) shows the whole commands.
# Use: `$(call say,CXX)$(CXX) …` as the first words of a recipe's line.
say = $(if $(filter-out 0,$(V)),,@printf '  %-4s %s\n' $(1) $(or $(2),$(@:$(BUILD)/%=%)) && )
