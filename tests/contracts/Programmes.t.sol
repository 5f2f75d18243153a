// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IJournal} from "../../contracts/interfaces/IJournal.sol";
import {IProgrammes} from "../../contracts/interfaces/IProgrammes.sol";
import {Keys} from "../../contracts/Keys.sol";
import {Commands} from "./Commands.sol";

/// @title Founding a programme, and its plain settings. Its epochs and budgets are in
/// ProgrammesTerms.t.sol
contract ProgrammesTest is Commands {
    bytes32 private constant OPERATION = keccak256("this operation");
    bytes32 private constant PROFILE = keccak256("profile");
    uint64 private constant MOST = 2 ** 53 - 1;

    // --- createProgramme

    function test_createProgramme__by_officers__obeys_the_rules_of_commands() public {
        _assertCommand(Command(address(programmes), _writeCreate, COUNCIL_ROLE, 0, 0));
    }

    function test_createProgramme__new_key__takes_the_next_id() public {
        _watch(address(programmes));
        vm.prank(council);
        uint16 id = programmes.createProgramme("fund", PROFILE, MOST, 3, OPERATION);
        bytes memory line = abi.encode(
            IProgrammes.ProgrammeCreated.selector,
            _number(1),
            3,
            bytes32("fund"),
            PROFILE,
            MOST,
            3,
            council,
            OPERATION
        );
        vm.assertEq(_assertLine(line).length, 0, "echoes");
        vm.assertEq(id, 3, "id");
        vm.assertEq(programmes.programmeCount(), 3, "count");
        IProgrammes.Programme memory kept = programmes.programme(3);
        vm.assertEq(kept.key, "fund", "key");
        vm.assertEq(kept.profile, PROFILE, "profile");
        vm.assertEq(kept.supplyCap, MOST, "cap");
        vm.assertEq(kept.approvalsNeeded, 3, "approvals");
        vm.assertEq(kept.tierCount, 0, "tiers");
    }

    function test_createProgramme__key_taken__names_the_programme() public {
        _create(
            "community",
            CAP,
            1,
            abi.encodeWithSelector(IProgrammes.ProgrammesKeyTaken.selector, bytes32("community"), SECOND)
        );
    }

    function test_createProgramme__malformed_key__is_refused() public {
        _create("Fund", CAP, 1, abi.encodeWithSelector(Keys.KeysMalformed.selector, bytes32("Fund")));
        _create("", CAP, 1, abi.encodeWithSelector(Keys.KeysMalformed.selector, bytes32(0)));
    }

    function test_createProgramme__cap_too_large__is_refused() public {
        _create("fund", MOST + 1, 1, _tooLarge(MOST + 1));
        _create("fund", type(uint64).max, 1, _tooLarge(type(uint64).max));
        _create("fund", MOST, 1, "");
    }

    function test_createProgramme__no_approvals_or_too_many__is_refused() public {
        vm.assertEq(programmes.MAX_APPROVALS(), 16, "most");
        _create("fund", CAP, 0, _approvalsUnusable(0));
        _create("fund", CAP, 17, _approvalsUnusable(17));
        _create("fund", CAP, 255, _approvalsUnusable(255));
        _create("fund", CAP, 16, "");
    }

    function test_createProgramme__ids_at_an_end__is_refused() public {
        vm.assertEq(programmes.MAX_PROGRAMMES(), 1000, "most");
        vm.store(address(programmes), 0, bytes32(uint256(999)));
        _create("fund", CAP, 1, "");
        vm.assertEq(programmes.programmeCount(), 1000, "count");
        _create("another", CAP, 1, abi.encodePacked(IProgrammes.ProgrammesFull.selector));
    }

    // --- profile, cap, approvals

    function test_changeProfile__by_officers__obeys_the_rules_of_commands() public {
        _assertCommand(Command(address(programmes), _writeProfile, COUNCIL_ROLE, 0, FIRST));
    }

    function test_changeProfile__new_profile__is_journaled_and_kept() public {
        _watch(address(programmes));
        vm.prank(council);
        programmes.changeProfile(FIRST, PROFILE, OPERATION);
        _assertLine(
            abi.encode(
                IProgrammes.ProgrammeProfileChanged.selector, _number(1), FIRST, PROFILE, council, OPERATION
            )
        );
        vm.assertEq(programmes.programme(FIRST).profile, PROFILE, "profile");
        vm.assertEq(programmes.programme(FIRST).key, "alliance", "key, as before");
    }

    function test_changeSupplyCap__by_officers__obeys_the_rules_of_commands() public {
        _assertCommand(Command(address(programmes), _writeCap, COUNCIL_ROLE, 0, FIRST));
    }

    function test_changeSupplyCap__up_to_the_most__is_journaled_and_kept() public {
        uint64[3] memory caps = [0, 5, MOST];
        for (uint256 i = 0; i < 3; ++i) {
            bytes32 operationId = keccak256(abi.encode(i));
            _watch(address(programmes));
            vm.prank(council);
            programmes.changeSupplyCap(FIRST, caps[i], operationId);
            _assertLine(
                abi.encode(IProgrammes.SupplyCapChanged.selector, _number(1), FIRST, caps[i], council, operationId)
            );
            vm.assertEq(programmes.programme(FIRST).supplyCap, caps[i], "cap");
            vm.assertEq(programmes.awardTerms(FIRST, issuer).supplyCap, caps[i], "cap in the terms");
        }
    }

    function test_changeSupplyCap__too_large__is_refused() public {
        vm.expectRevert(_tooLarge(MOST + 1));
        vm.prank(council);
        programmes.changeSupplyCap(FIRST, MOST + 1, OPERATION);
    }

    function test_changeApprovalsNeeded__by_officers__obeys_the_rules_of_commands() public {
        _assertCommand(Command(address(programmes), _writeApprovals, COUNCIL_ROLE, 0, FIRST));
    }

    function test_changeApprovalsNeeded__one_or_more__is_journaled_and_kept() public {
        _watch(address(programmes));
        vm.prank(council);
        programmes.changeApprovalsNeeded(FIRST, 16, OPERATION);
        _assertLine(
            abi.encode(IProgrammes.ApprovalsNeededChanged.selector, _number(1), FIRST, 16, council, OPERATION)
        );
        vm.assertEq(programmes.programme(FIRST).approvalsNeeded, 16, "approvals");
        vm.expectRevert(_approvalsUnusable(0));
        vm.prank(council);
        programmes.changeApprovalsNeeded(FIRST, 0, "another operation");
        vm.expectRevert(_approvalsUnusable(17));
        vm.prank(council);
        programmes.changeApprovalsNeeded(FIRST, 17, "another operation");
    }

    // --- tiers

    function test_addTiers__by_officers__obeys_the_rules_of_commands() public {
        _assertCommand(Command(address(programmes), _writeTiers, COUNCIL_ROLE, 0, FIRST));
    }

    function test_addTiers__several__are_numbered_on_and_open() public {
        bytes32[] memory keys = new bytes32[](2);
        (keys[0], keys[1]) = ("gold", "silver");
        bytes[] memory lines = new bytes[](2);
        _watch(address(programmes));
        for (uint8 i = 0; i < 2; ++i) {
            lines[i] = abi.encode(
                IProgrammes.TierAdded.selector, _number(i + 1), FIRST, 3 + i, keys[i], council, OPERATION
            );
        }
        vm.prank(council);
        programmes.addTiers(FIRST, keys, OPERATION);
        _assertLines(lines);
        vm.assertEq(programmes.programme(FIRST).tierCount, 4, "tiers");
        vm.assertEq(programmes.programme(SECOND).tierCount, 2, "tiers of the other programme");
        programmes.requireOpenTier(FIRST, 3);
        programmes.requireOpenTier(FIRST, 4);
    }

    function test_addTiers__key_taken_or_malformed__is_refused() public {
        bytes memory taken =
            abi.encodeWithSelector(IProgrammes.ProgrammesTierKeyTaken.selector, FIRST, bytes32("full"));
        _addTiers(_one("full"), taken);
        bytes32[] memory twice = new bytes32[](2);
        (twice[0], twice[1]) = ("gold", "gold");
        _addTiers(
            twice, abi.encodeWithSelector(IProgrammes.ProgrammesTierKeyTaken.selector, FIRST, bytes32("gold"))
        );
        _addTiers(_one("Gold"), abi.encodeWithSelector(Keys.KeysMalformed.selector, bytes32("Gold")));
    }

    function test_addTiers__none_or_too_many__is_refused() public {
        _addTiers(new bytes32[](0), _batchSize(0));
        _addTiers(_many(201), _batchSize(201));
        _addTiers(_many(200), "");
        vm.assertEq(programmes.programme(FIRST).tierCount, 202, "tiers");
    }

    function test_addTiers__numbers_at_an_end__is_refused() public {
        bytes32[] memory keys = _many(253);
        for (uint256 i = 0; i < 253; ++i) {
            _addTiers(_one(keys[i]), "");
        }
        vm.assertEq(programmes.programme(FIRST).tierCount, 255, "tiers");
        programmes.requireOpenTier(FIRST, 255);
        _addTiers(_one("another"), abi.encodeWithSelector(IProgrammes.ProgrammesTiersFull.selector, FIRST));
    }

    function test_setTierOpen__by_officers__obeys_the_rules_of_commands() public {
        _assertCommand(Command(address(programmes), _writeTierOpen, COUNCIL_ROLE, 0, FIRST));
    }

    function test_setTierOpen__closed_and_opened__is_journaled_and_kept() public {
        _setTier(FULL, false);
        vm.expectRevert(abi.encodeWithSelector(IProgrammes.ProgrammesTierClosed.selector, FIRST, FULL));
        programmes.requireOpenTier(FIRST, FULL);
        programmes.requireOpenTier(SECOND, FULL);
        _setTier(FULL, true);
        programmes.requireOpenTier(FIRST, FULL);
    }

    function test_setTierOpen__unknown_or_unchanged__is_refused() public {
        uint8[2] memory unknown = [0, 3];
        for (uint256 i = 0; i < 2; ++i) {
            vm.expectRevert(abi.encodeWithSelector(IProgrammes.ProgrammesTierUnknown.selector, FIRST, unknown[i]));
            vm.prank(council);
            programmes.setTierOpen(FIRST, unknown[i], true, OPERATION);
        }
        vm.expectRevert(
            abi.encodeWithSelector(IProgrammes.ProgrammesUnchanged.selector, FIRST, bytes32(uint256(FULL)))
        );
        vm.prank(council);
        programmes.setTierOpen(FIRST, FULL, true, OPERATION);
    }

    function test_requireOpenTier__unknown__is_refused() public {
        vm.expectRevert(abi.encodeWithSelector(IProgrammes.ProgrammesTierUnknown.selector, FIRST, 0));
        programmes.requireOpenTier(FIRST, 0);
        vm.expectRevert(abi.encodeWithSelector(IProgrammes.ProgrammesTierUnknown.selector, 3, FULL));
        programmes.requireOpenTier(3, FULL);
    }

    // --- categories

    function test_categories__by_officers__obey_the_rules_of_commands() public {
        _assertCommand(Command(address(programmes), _writeOpen, COUNCIL_ROLE, 0, FIRST));
        _assertCommand(Command(address(programmes), _writeClose, COUNCIL_ROLE, 0, FIRST));
    }

    function test_categories__opened_closed_and_opened__are_journaled_and_kept() public {
        bytes32[] memory keys = new bytes32[](2);
        (keys[0], keys[1]) = ("ground.station", "launch");
        bool[3] memory opens = [true, false, true];
        for (uint256 i = 0; i < 3; ++i) {
            _setCategories(keys, opens[i], keccak256(abi.encode(i)));
            if (opens[i]) {
                programmes.requireOpenCategories(FIRST, keys);
            } else {
                vm.expectRevert(_categoryError(IProgrammes.ProgrammesCategoryClosed.selector, "ground.station"));
                programmes.requireOpenCategories(FIRST, keys);
            }
        }
        vm.expectRevert(
            abi.encodeWithSelector(
                IProgrammes.ProgrammesCategoryUnknown.selector, SECOND, bytes32("ground.station")
            )
        );
        programmes.requireOpenCategories(SECOND, keys);
    }

    function test_openCategories__open_already_or_malformed__is_refused() public {
        _open(_one(DATA), _categoryError(IProgrammes.ProgrammesUnchanged.selector, DATA));
        bytes32[] memory twice = new bytes32[](2);
        (twice[0], twice[1]) = ("launch", "launch");
        _open(twice, _categoryError(IProgrammes.ProgrammesUnchanged.selector, "launch"));
        _open(_one("Launch"), abi.encodeWithSelector(Keys.KeysMalformed.selector, bytes32("Launch")));
        _open(new bytes32[](0), _batchSize(0));
        _open(_many(201), _batchSize(201));
        _open(_many(200), "");
    }

    function test_closeCategories__unknown_or_closed_already__is_refused() public {
        _close(_one("launch"), _categoryError(IProgrammes.ProgrammesCategoryUnknown.selector, "launch"));
        _close(_one(DATA), "");
        _close(_one(DATA), _categoryError(IProgrammes.ProgrammesUnchanged.selector, DATA));
        _close(new bytes32[](0), _batchSize(0));
    }

    function test_requireOpenCategories__one_of_many_not_open__names_it() public {
        bytes32[] memory keys = new bytes32[](3);
        (keys[0], keys[1], keys[2]) = (DATA, BUILD, "launch");
        vm.expectRevert(_categoryError(IProgrammes.ProgrammesCategoryUnknown.selector, "launch"));
        programmes.requireOpenCategories(FIRST, keys);
        programmes.requireOpenCategories(FIRST, new bytes32[](0));
    }

    // --- unknown programmes

    function test_every_command__unknown_programme__is_refused() public {
        uint16[3] memory unknown = [0, 3, type(uint16).max];
        for (uint256 i = 0; i < 3; ++i) {
            uint16 id = unknown[i];
            _unknown(id, abi.encodeCall(programmes.changeProfile, (id, PROFILE, OPERATION)));
            _unknown(id, abi.encodeCall(programmes.changeSupplyCap, (id, 1, OPERATION)));
            _unknown(id, abi.encodeCall(programmes.changeApprovalsNeeded, (id, 1, OPERATION)));
            _unknown(id, abi.encodeCall(programmes.addTiers, (id, _one("gold"), OPERATION)));
            _unknown(id, abi.encodeCall(programmes.setTierOpen, (id, FULL, false, OPERATION)));
            _unknown(id, abi.encodeCall(programmes.openCategories, (id, _one("launch"), OPERATION)));
            _unknown(id, abi.encodeCall(programmes.closeCategories, (id, _one(DATA), OPERATION)));
            _unknown(id, abi.encodeCall(programmes.appendBoundaries, (id, new uint40[](1), OPERATION)));
            _unknown(id, abi.encodeCall(programmes.setBudget, (id, issuer, 1, 1, OPERATION)));
            _unknown(id, abi.encodeCall(programmes.setCategoryBudget, (id, issuer, DATA, true, 1, OPERATION)));
            _unknown(id, abi.encodeCall(programmes.programme, (id)));
            _unknown(id, abi.encodeCall(programmes.requireProgramme, (id)));
            _unknown(id, abi.encodeCall(programmes.awardTerms, (id, issuer)));
        }
        programmes.requireProgramme(FIRST);
        programmes.requireProgramme(SECOND);
    }

    // --- what the tests above are made of

    function _writeCreate(bytes32 operationId, address) private view returns (bytes memory) {
        return abi.encodeCall(programmes.createProgramme, ("fund", PROFILE, CAP, 1, operationId));
    }

    function _writeProfile(bytes32 operationId, address) private view returns (bytes memory) {
        return abi.encodeCall(programmes.changeProfile, (FIRST, PROFILE, operationId));
    }

    function _writeCap(bytes32 operationId, address) private view returns (bytes memory) {
        return abi.encodeCall(programmes.changeSupplyCap, (FIRST, 1, operationId));
    }

    function _writeApprovals(bytes32 operationId, address) private view returns (bytes memory) {
        return abi.encodeCall(programmes.changeApprovalsNeeded, (FIRST, 1, operationId));
    }

    function _writeTiers(bytes32 operationId, address) private view returns (bytes memory) {
        return abi.encodeCall(programmes.addTiers, (FIRST, _one("gold"), operationId));
    }

    function _writeTierOpen(bytes32 operationId, address) private view returns (bytes memory) {
        return abi.encodeCall(programmes.setTierOpen, (FIRST, FULL, false, operationId));
    }

    function _writeOpen(bytes32 operationId, address) private view returns (bytes memory) {
        return abi.encodeCall(programmes.openCategories, (FIRST, _one("launch"), operationId));
    }

    function _writeClose(bytes32 operationId, address) private view returns (bytes memory) {
        return abi.encodeCall(programmes.closeCategories, (FIRST, _one(DATA), operationId));
    }

    function _create(bytes32 key, uint64 cap, uint8 approvals, bytes memory failure) private {
        bytes32 operationId = _operation();
        _send(
            address(programmes),
            council,
            abi.encodeCall(programmes.createProgramme, (key, PROFILE, cap, approvals, operationId)),
            failure
        );
    }

    function _addTiers(bytes32[] memory keys, bytes memory failure) private {
        bytes memory data = abi.encodeCall(programmes.addTiers, (FIRST, keys, _operation()));
        _send(address(programmes), council, data, failure);
    }

    function _open(bytes32[] memory keys, bytes memory failure) private {
        bytes memory data = abi.encodeCall(programmes.openCategories, (FIRST, keys, _operation()));
        _send(address(programmes), council, data, failure);
    }

    function _close(bytes32[] memory keys, bytes memory failure) private {
        bytes memory data = abi.encodeCall(programmes.closeCategories, (FIRST, keys, _operation()));
        _send(address(programmes), council, data, failure);
    }

    function _setTier(uint8 tier, bool open) private {
        bytes32 operationId = _operation();
        _watch(address(programmes));
        vm.prank(council);
        programmes.setTierOpen(FIRST, tier, open, operationId);
        _assertLine(
            abi.encode(IProgrammes.TierStatusChanged.selector, _number(1), FIRST, tier, open, council, operationId)
        );
    }

    function _setCategories(bytes32[] memory keys, bool open, bytes32 operationId) private {
        bytes[] memory lines = new bytes[](keys.length);
        _watch(address(programmes));
        for (uint64 i = 0; i < keys.length; ++i) {
            lines[i] = abi.encode(
                IProgrammes.CategoryStatusChanged.selector,
                _number(i + 1),
                FIRST,
                keys[i],
                open,
                council,
                operationId
            );
        }
        vm.prank(council);
        if (open) programmes.openCategories(FIRST, keys, operationId);
        else programmes.closeCategories(FIRST, keys, operationId);
        _assertLines(lines);
    }

    function _unknown(uint16 id, bytes memory data) private {
        bytes memory failure = abi.encodeWithSelector(IProgrammes.ProgrammesUnknown.selector, id);
        _send(address(programmes), council, data, failure);
    }

    function _many(uint256 count) private pure returns (bytes32[] memory keys) {
        keys = new bytes32[](count);
        for (uint256 i = 0; i < count; ++i) {
            keys[i] = bytes32(abi.encodePacked("key.", vm.toString(i)));
        }
    }

    function _categoryError(bytes4 selector, bytes32 category) private pure returns (bytes memory) {
        return abi.encodeWithSelector(selector, FIRST, category);
    }

    function _approvalsUnusable(uint8 given) private pure returns (bytes memory) {
        return abi.encodeWithSelector(IProgrammes.ProgrammesApprovalsUnusable.selector, given, 16);
    }

    function _tooLarge(uint64 given) private pure returns (bytes memory) {
        return abi.encodeWithSelector(IProgrammes.ProgrammesSupplyCapTooLarge.selector, given, MOST);
    }

    function _batchSize(uint256 given) private pure returns (bytes memory) {
        return abi.encodeWithSelector(IProgrammes.ProgrammesBatchSize.selector, given, 200);
    }
}
