"""Where finance's events are, from the same environment as the publisher's and the sink's."""

from shared.finance_settings import DocumentSettings, TopologySettings


class FinanceSettings(TopologySettings, DocumentSettings):
    pass
