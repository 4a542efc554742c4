"""Several changes of one table by copying it once: SQLite copies a table for nearly every change."""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

from django.db.migrations.operations.base import Operation
from django.db.migrations.state import ProjectState
from typing_extensions import override


class ChangeTable(Operation):
    """What its operations do to one model, in their order. `values` says what the rows that are there hold in columns
    that are added, as expressions of SQL; without one it is the default.

    On SQLite the rows are copied into a new table without an index, and each constraint becomes an index of its own
    afterwards, which is sorted and not searched row by row. Other engines change a table where it is, so there the
    operations run as they are; what fills columns belongs among them.
    """

    def __init__(self, model_name: str, operations: Sequence[Operation], values: Mapping[str, str]) -> None:
        self.model_name = model_name
        self.operations = operations
        self.values = values

    @override
    def describe(self) -> str:
        return f"Change {self.model_name}: {', '.join(operation.describe() for operation in self.operations)}"

    @override
    def state_forwards(self, app_label: str, state: ProjectState) -> None:
        for operation in self.operations:
            operation.state_forwards(app_label, state)

    @override
    def database_forwards(
        self, app_label: str, schema_editor: Any, from_state: ProjectState, to_state: ProjectState
    ) -> None:
        if schema_editor.connection.vendor == "sqlite":
            self._copy(app_label, schema_editor, from_state, to_state)
            return
        states = pairwise(self._states(app_label, from_state))
        for operation, (before, after) in zip(self.operations, states, strict=True):
            operation.database_forwards(app_label, schema_editor, before, after)

    @override
    def database_backwards(
        self, app_label: str, schema_editor: Any, from_state: ProjectState, to_state: ProjectState
    ) -> None:
        if schema_editor.connection.vendor == "sqlite":
            self._copy(app_label, schema_editor, from_state, to_state)
            return
        states = list(pairwise(self._states(app_label, to_state)))
        for operation, (before, after) in reversed(list(zip(self.operations, states, strict=True))):
            operation.database_backwards(app_label, schema_editor, after, before)

    def _states(self, app_label: str, first: ProjectState) -> list[ProjectState]:
        """The state before the first operation, and after each."""
        states = [first]
        for operation in self.operations:
            after = states[-1].clone()
            operation.state_forwards(app_label, after)
            states.append(after)
        return states

    def _copy(self, app_label: str, schema_editor: Any, from_state: ProjectState, to_state: ProjectState) -> None:
        """As SQLite's documentation tells to: make a new table, copy, drop the old one, rename."""
        old, new = (state.apps.get_model(app_label, self.model_name) for state in (from_state, to_state))
        draft = self._without_indexes(app_label, to_state)
        schema_editor.create_model(draft)
        there = {field.column for field in old._meta.local_concrete_fields}
        values = {
            field.column: self._value(field, schema_editor, is_new=field.column not in there)
            for field in new._meta.local_concrete_fields
        }
        name, new_name = (schema_editor.quote_name(model._meta.db_table) for model in (old, draft))
        columns = ", ".join(map(schema_editor.quote_name, values))
        schema_editor.execute(
            f"INSERT INTO {new_name} ({columns}) SELECT {', '.join(values.values())} FROM {name}"  # noqa: S608
        )
        schema_editor.delete_model(old)
        schema_editor.alter_db_table(draft, draft._meta.db_table, new._meta.db_table)
        for constraint in new._meta.constraints:
            schema_editor.execute(constraint.create_sql(new, schema_editor))
        for index in new._meta.indexes:
            schema_editor.add_index(new, index)

    def _without_indexes(self, app_label: str, to_state: ProjectState) -> Any:
        """The model as it will be, but for what has an index, under a name that is free."""
        state = to_state.clone()
        model = state.models[app_label, self.model_name]
        table = to_state.apps.get_model(app_label, self.model_name)._meta.db_table
        model.options = {**model.options, "db_table": f"new__{table}", "constraints": [], "indexes": []}
        state.reload_model(app_label, self.model_name)
        return state.apps.get_model(app_label, self.model_name)

    def _value(self, field: Any, schema_editor: Any, *, is_new: bool) -> str:
        if not is_new:
            return str(schema_editor.quote_name(field.column))
        default = schema_editor.quote_value(schema_editor.effective_default(field))
        return self.values.get(field.column, str(default))
