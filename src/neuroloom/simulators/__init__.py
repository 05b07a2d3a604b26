"""Cohorts with a known truth, one file a modality."""

SIMULATORS = {
    "simulated_table": "neuroloom.simulators.table:simulate_table",
    "simulated_bold": "neuroloom.simulators.bold:simulate_bold",
    "simulated_t1w": "neuroloom.simulators.t1w:simulate_t1w",
    "simulated_label_maps": "neuroloom.simulators.label_maps:simulate_label_maps",
    "simulated_motor_imagery": "neuroloom.simulators.eeg_motor_imagery:simulate_motor_imagery",
    "simulated_p300": "neuroloom.simulators.eeg_p300:simulate_p300",
    "simulated_seizures": "neuroloom.simulators.eeg_seizure:simulate_seizures",
    "simulated_sleep": "neuroloom.simulators.eeg_sleep:simulate_sleep",
    "simulated_resting_eeg": "neuroloom.simulators.eeg_rest:simulate_resting_eeg",
    "simulated_emotion": "neuroloom.simulators.eeg_emotion:simulate_emotion",
    "simulated_workload": "neuroloom.simulators.eeg_workload:simulate_workload",
}
