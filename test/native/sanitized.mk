# The bridge, its trial program, fake libraries and bridge_stress under one sanitizer:
#   make -f sanitized.mk SANITIZER=address,undefined|thread
CXX ?= g++
BRIDGE := ../../libs/bridge
comma := ,
BUILD := $(BRIDGE)/build/test/$(subst $(comma),-,$(SANITIZER))
# The library's classes and ours agree in layout, not in type, which is all that vptr checks. TSan does not know
# fences; all that is shared is atomic besides.
FLAGS := -std=c++17 -O1 -g1 -Wall -Wextra -Werror -Wno-tsan -fPIC -fvisibility=hidden -pthread -MMD -MP \
	-fno-omit-frame-pointer -fsanitize=$(SANITIZER) -fno-sanitize=vptr -fno-sanitize-recover=all
FAKES := fake_newest fake_6_3_15 fake_2013
SOURCES := bridge callback_order elf_check flow_folder library owner private_copy registry releaser session standard_output \
	trial trial_process vendor_symbols version_text versions
OBJECTS := $(SOURCES:%=$(BUILD)/%.o) $(BUILD)/bridge_stress.o

.PHONY: all
all: $(BUILD)/bridge_stress $(BUILD)/library_trial $(FAKES:%=$(BUILD)/%.so)

$(BUILD)/bridge_stress: $(OBJECTS)
	$(CXX) $(FLAGS) -o $@.$$$$ $(OBJECTS) -ldl && mv -f $@.$$$$ $@

$(BUILD)/library_trial: $(BUILD)/library_trial.o $(BUILD)/private_copy.o $(BUILD)/vendor_symbols.o
	$(CXX) $(FLAGS) -o $@.$$$$ $^ -ldl && mv -f $@.$$$$ $@

$(BUILD)/%.o: $(BRIDGE)/%.cpp sanitized.mk | $(BUILD)
	$(CXX) $(FLAGS) -MF $(@:.o=.d) -MT $@ -c -o $@.$$$$ $< && mv -f $@.$$$$ $@

$(BUILD)/bridge_stress.o: bridge_stress.cpp sanitized.mk | $(BUILD)
	$(CXX) $(FLAGS) -I$(BRIDGE) -MF $(@:.o=.d) -MT $@ -c -o $@.$$$$ $< && mv -f $@.$$$$ $@

$(BUILD)/fake_newest.so: OPTIONS := -DFAKE_VERSION='"v6.7.13_20260225"' -DFAKE_BBB
$(BUILD)/fake_6_3_15.so: OPTIONS := -DFAKE_VERSION='"v6.3.15_20190220"' -DFAKE_BB -DFAKE_SHORT_ID -DFAKE_A
$(BUILD)/fake_2013.so: OPTIONS := -DFAKE_SHORT_ID -DFAKE_2013
$(FAKES:%=$(BUILD)/%.so): fake_md_api.cpp sanitized.mk | $(BUILD)
	$(CXX) $(FLAGS) $(OPTIONS) -MF $(@:.so=.d) -MT $@ -shared -o $@.$$$$ $< && mv -f $@.$$$$ $@

$(BUILD):
	mkdir -p $@

-include $(OBJECTS:.o=.d)
